// One user: its keys, and what it may do.

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useState } from "react";
import { createKey, getUser, iam, lastUsed, listAttached, listGroups, listInline, listKeys, MANAGED } from "../api/iam";
import { useNotices } from "../app/notices";
import { usePage } from "../app/page";
import { go } from "../app/router";
import { useSession } from "../app/session";
import { plural } from "../pure/format";
import { Confirm } from "../ui/confirm";
import { Copyable } from "../ui/copy";
import { DataTable } from "../ui/data-table";
import { useLoad } from "../ui/data";
import { Details } from "../ui/details";
import { Empty, Failure, Loading } from "../ui/feedback";
import { when } from "./users";

export default function UserPage({ name }: { name: string }) {
  const { client } = useSession();
  const notices = useNotices();
  const [secret, setSecret] = useState<{ id: string; secret: string }>();
  const [goneKey, setGoneKey] = useState<string>();
  const [deleting, setDeleting] = useState(false);
  usePage(name, ["Server", "#/status"], ["Users & keys", "#/users"]);
  const { data, error, reload } = useLoad(
    async (signal) => {
      const [user, keys, attached, inline, groups] = await Promise.all([
        getUser(client, name, signal),
        listKeys(client, name, signal),
        listAttached(client, name, signal),
        listInline(client, name, signal),
        listGroups(client, name, signal),
      ]);
      const used = await Promise.all(keys.map((k) => lastUsed(client, k.id, signal)));
      return { user, keys: keys.map((k, i) => ({ ...k, lastUsed: used[i] })), attached, inline, groups };
    },
    [client, name],
  );
  if (!data) return error === undefined ? <Loading /> : <Failure error={error} onRetry={reload} />;

  const act = async (what: string, run: () => Promise<unknown>) => {
    try {
      await run();
      notices.success(what);
      reload();
    } catch (e) {
      notices.failure(e);
    }
  };
  const addable = MANAGED.filter((p) => !data.attached.some((a) => a.arn === p.arn));

  return (
    <ContentLayout
      header={
        <Header variant="h1" actions={<Button onClick={() => setDeleting(true)}>Delete user</Button>}>
          {name}
        </Header>
      }
    >
      <SpaceBetween size="l">
        <Container>
          <Details
            columns={3}
            items={[
              ["ARN", <Copyable text={data.user.arn} what="the ARN" />],
              ["Created at", when(data.user.createdAt)],
              ["Groups", data.groups.join(", ") || "-"],
            ]}
          />
        </Container>
        <DataTable
          title="Access keys"
          description="At most two, so that one can be replaced without a pause."
          actions={
            <Button
              variant="primary"
              disabled={data.keys.length >= 2}
              onClick={async () => {
                try {
                  setSecret(await createKey(client, name));
                  reload();
                } catch (e) {
                  notices.failure(e, "The access key is not created");
                }
              }}
            >
              Create access key
            </Button>
          }
          items={data.keys}
          columns={[
            { id: "id", header: "Access key ID", isRowHeader: true, minWidth: 210, cell: (k) => <Copyable text={k.id} what="the access key ID" /> },
            {
              id: "status",
              header: "Status",
              minWidth: 110,
              cell: (k) => (k.isActive ? <StatusIndicator type="success">Active</StatusIndicator> : <StatusIndicator type="stopped">Inactive</StatusIndicator>),
            },
            { id: "created", header: "Created at", minWidth: 190, cell: (k) => when(k.createdAt) },
            { id: "used", header: "Last used", minWidth: 190, cell: (k) => (k.lastUsed ? when(k.lastUsed) : "Never") },
            {
              id: "actions",
              header: "Actions",
              minWidth: 200,
              cell: (k) => (
                <SpaceBetween direction="horizontal" size="xs">
                  <Button
                    variant="inline-link"
                    ariaLabel={`${k.isActive ? "Deactivate" : "Activate"} ${k.id}`}
                    onClick={() =>
                      void act(k.isActive ? "The access key is deactivated" : "The access key is active", () =>
                        iam(client, "UpdateAccessKey", { UserName: name, AccessKeyId: k.id, Status: k.isActive ? "Inactive" : "Active" }),
                      )
                    }
                  >
                    {k.isActive ? "Deactivate" : "Activate"}
                  </Button>
                  <Button variant="inline-link" ariaLabel={`Delete ${k.id}`} onClick={() => setGoneKey(k.id)}>
                    Delete
                  </Button>
                </SpaceBetween>
              ),
            },
          ]}
          empty={<Empty title="No access keys">Without one the user cannot sign in or push.</Empty>}
        />
        <DataTable
          title="Policies"
          description="What the user may do. Its groups can add to it."
          actions={
            <ButtonDropdown
              disabled={addable.length === 0}
              items={addable.map((p) => ({ id: p.arn, text: p.what, description: p.name }))}
              onItemClick={({ detail }) => void act("The policy is attached", () => iam(client, "AttachUserPolicy", { UserName: name, PolicyArn: detail.id }))}
            >
              Attach a policy
            </ButtonDropdown>
          }
          items={[...data.attached.map((a) => ({ ...a, isInline: false })), ...data.inline.map((n) => ({ name: n, arn: "", isInline: true }))]}
          columns={[
            { id: "name", header: "Policy", isRowHeader: true, minWidth: 220, cell: (p) => p.name },
            { id: "what", header: "What it allows", minWidth: 200, cell: (p) => MANAGED.find((m) => m.arn === p.arn)?.what ?? (p.isInline ? "Inline policy" : "-") },
            {
              id: "actions",
              header: "Actions",
              minWidth: 110,
              cell: (p) => (
                <Button
                  variant="inline-link"
                  ariaLabel={`${p.isInline ? "Delete" : "Detach"} ${p.name}`}
                  onClick={() =>
                    void act(p.isInline ? "The policy is deleted" : "The policy is detached", () =>
                      p.isInline
                        ? iam(client, "DeleteUserPolicy", { UserName: name, PolicyName: p.name })
                        : iam(client, "DetachUserPolicy", { UserName: name, PolicyArn: p.arn }),
                    )
                  }
                >
                  {p.isInline ? "Delete" : "Detach"}
                </Button>
              ),
            },
          ]}
          empty={<Empty title="The user may do nothing">Attach a policy, or put it into a group that has one.</Empty>}
        />
      </SpaceBetween>
      {secret && (
        <Modal
          visible
          header="The access key"
          onDismiss={() => setSecret(undefined)}
          footer={
            <Box float="right">
              <Button variant="primary" onClick={() => setSecret(undefined)}>
                Done
              </Button>
            </Box>
          }
        >
          <SpaceBetween size="m">
            <Alert type="warning">This is the only time that the secret is shown. Keep it now.</Alert>
            <Details
              columns={1}
              items={[
                ["Access key ID", <Copyable text={secret.id} what="the access key ID" />],
                ["Secret access key", <Copyable text={secret.secret} what="the secret access key" />],
              ]}
            />
          </SpaceBetween>
        </Modal>
      )}
      {goneKey && (
        <Confirm
          header="Delete the access key"
          word="delete"
          button="Delete"
          onClose={() => setGoneKey(undefined)}
          onConfirm={async () => {
            await iam(client, "DeleteAccessKey", { UserName: name, AccessKeyId: goneKey });
            notices.success("The access key is deleted");
            reload();
          }}
        >
          Whoever still uses {goneKey} is refused from now on.
        </Confirm>
      )}
      {deleting && (
        <Confirm
          header={`Delete the user ${name}`}
          word="delete"
          button="Delete"
          warning={data.keys.length > 0 && `${plural(data.keys.length, "access key")} will stop working.`}
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            // As the AWS console does: what hangs on the user goes first.
            for (const k of data.keys) await iam(client, "DeleteAccessKey", { UserName: name, AccessKeyId: k.id });
            for (const p of data.attached) await iam(client, "DetachUserPolicy", { UserName: name, PolicyArn: p.arn });
            for (const p of data.inline) await iam(client, "DeleteUserPolicy", { UserName: name, PolicyName: p });
            for (const g of data.groups) await iam(client, "RemoveUserFromGroup", { UserName: name, GroupName: g });
            await iam(client, "DeleteUser", { UserName: name });
            notices.success(`The user ${name} is deleted`);
            go("#/users");
          }}
        >
          Its keys and its own policies go too.
        </Confirm>
      )}
    </ContentLayout>
  );
}
