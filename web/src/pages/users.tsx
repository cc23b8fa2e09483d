// Who has access keys.

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ContentLayout from "@cloudscape-design/components/content-layout";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Link from "@cloudscape-design/components/link";
import Modal from "@cloudscape-design/components/modal";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { iam, listUsers, MANAGED } from "../api/iam";
import { useNotices } from "../app/notices";
import { usePage } from "../app/page";
import { go, href } from "../app/router";
import { useSession } from "../app/session";
import { time } from "../pure/format";
import { DataTable } from "../ui/data-table";
import { useLoad } from "../ui/data";
import { Empty, Failure } from "../ui/feedback";

export const when = (iso: string | undefined) => (iso ? time(Date.parse(iso) / 1000) : "-");

export default function Users() {
  const { client } = useSession();
  const [creating, setCreating] = useState(false);
  usePage("Users & keys", ["Server", "#/status"]);
  const { data, error, isLoading, reload } = useLoad((signal) => listUsers(client, signal), [client]);
  return (
    <ContentLayout header={<Header variant="h1" description="The account's users, their access keys and what they may do. Groups, roles and policies are managed with aws iam.">Users &amp; keys</Header>}>
      <DataTable
        title="Users"
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button iconName="refresh" ariaLabel="Refresh" onClick={reload} />
            <Button variant="primary" onClick={() => setCreating(true)}>
              Create user
            </Button>
          </SpaceBetween>
        }
        items={data ?? []}
        loading={isLoading && !data}
        columns={[
          { id: "name", header: "User", isRowHeader: true, minWidth: 160, sortingField: "name", cell: (u) => <Link href={href("users", u.name)}>{u.name}</Link> },
          { id: "arn", header: "ARN", minWidth: 260, cell: (u) => <span className="mono">{u.arn}</span> },
          { id: "created", header: "Created at", minWidth: 190, sortingField: "createdAt", cell: (u) => when(u.createdAt) },
        ]}
        empty={
          error !== undefined ? (
            <Failure error={error} onRetry={reload} />
          ) : (
            <Empty title="No users yet">
              Only the account&apos;s root has keys. Create a user here, or with <code>aws iam create-user --user-name builder</code>
            </Empty>
          )
        }
      />
      {creating && <CreateUser onClose={() => setCreating(false)} />}
    </ContentLayout>
  );
}

const NONE = { value: "", label: "Nothing yet", description: "Give permissions later" };
const OPTIONS = [...MANAGED.map((p) => ({ value: p.arn, label: p.what, description: p.name })), NONE];

function CreateUser({ onClose }: { onClose(): void }) {
  const { client } = useSession();
  const notices = useNotices();
  const [name, setName] = useState("");
  const [policy, setPolicy] = useState(OPTIONS[2]!);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const problem = name && !/^[\w+=,.@-]{1,64}$/.test(name) ? "Letters, digits, and + = , . @ - _ are allowed; at most 64." : undefined;
  const create = async () => {
    if (!name || problem) return;
    setBusy(true);
    try {
      await iam(client, "CreateUser", { UserName: name });
      if (policy.value) await iam(client, "AttachUserPolicy", { UserName: name, PolicyArn: policy.value });
      notices.success(`The user ${name} is created`, "Create an access key for it now.");
      go(href("users", name));
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };
  return (
    <Modal
      visible
      header="Create user"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} disabled={!name || Boolean(problem)} onClick={() => void create()}>
              Create
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void create();
        }}
      >
        <SpaceBetween size="m">
          {error !== undefined && <Failure error={error} />}
          <FormField label="User name" errorText={problem}>
            <Input value={name} onChange={({ detail }) => setName(detail.value.trim())} placeholder="builder" autoFocus spellcheck={false} />
          </FormField>
          <FormField label="What it may do">
            <Select selectedOption={policy} options={OPTIONS} onChange={({ detail }) => setPolicy(detail.selectedOption as typeof policy)} />
          </FormField>
        </SpaceBetween>
      </form>
    </Modal>
  );
}
