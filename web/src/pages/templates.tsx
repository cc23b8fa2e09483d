// Repository creation templates: what a repository gets that is made by a push, a pull through cache or replication.

import Button from "@cloudscape-design/components/button";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { ecr, type Template } from "../api/ecr";
import { useNotices } from "../app/notices";
import { usePage } from "../app/page";
import { useSession } from "../app/session";
import { encryptionType, mutability } from "../pure/words";
import { Confirm } from "../ui/confirm";
import { DataTable } from "../ui/data-table";
import { useLoad } from "../ui/data";
import { Empty, Failure } from "../ui/feedback";
import { When } from "../ui/when";

export const APPLIED: Record<string, string> = { CREATE_ON_PUSH: "Push", PULL_THROUGH_CACHE: "Pull through cache", REPLICATION: "Replication" };

export default function Templates() {
  const { client } = useSession();
  const notices = useNotices();
  const [gone, setGone] = useState<Template>();
  usePage("Repository creation templates", ["Private registry", "#/repositories"]);
  const { data, error, isLoading, reload } = useLoad(
    async (signal) => {
      const all: Template[] = [];
      let nextToken: string | undefined;
      do {
        const answer = await ecr(client, "DescribeRepositoryCreationTemplates", { maxResults: 100, nextToken }, signal);
        all.push(...(answer.repositoryCreationTemplates ?? []));
        nextToken = answer.nextToken;
      } while (nextToken);
      return all;
    },
    [client],
  );
  const create = (
    <Button variant="primary" href="#/templates/new">
      Create template
    </Button>
  );
  return (
    <ContentLayout header={<Header variant="h1">Repository creation templates</Header>}>
      <DataTable
        title="Templates"
        description="The template with the longest prefix that fits applies; ROOT applies to all others. Repositories that exist are never changed."
        actions={create}
        items={data ?? []}
        loading={isLoading && !data}
        columns={[
          {
            id: "prefix",
            header: "Prefix",
            isRowHeader: true,
            minWidth: 140,
            sortingField: "prefix",
            cell: (t) => <Link href={`#/templates/edit?prefix=${encodeURIComponent(t.prefix!)}`}>{t.prefix === "ROOT" ? "ROOT (all others)" : `${t.prefix}/…`}</Link>,
          },
          { id: "for", header: "Applied for", minWidth: 160, cell: (t) => (t.appliedFor ?? []).map((a) => APPLIED[a] ?? a).join(", ") },
          { id: "mutability", header: "Tag mutability", minWidth: 140, cell: (t) => mutability(t.imageTagMutability) },
          { id: "encryption", header: "Encryption", minWidth: 120, cell: (t) => encryptionType(t.encryptionConfiguration?.encryptionType) },
          { id: "description", header: "Description", minWidth: 160, cell: (t) => t.description || "-" },
          { id: "updated", header: "Updated at", minWidth: 150, sortingField: "updatedAt", cell: (t) => <When at={t.updatedAt} /> },
          {
            id: "actions",
            header: "Actions",
            minWidth: 150,
            cell: (t) => (
              <SpaceBetween direction="horizontal" size="xs">
                <Button variant="inline-link" href={`#/templates/edit?prefix=${encodeURIComponent(t.prefix!)}`} ariaLabel={`Edit ${t.prefix}`}>
                  Edit
                </Button>
                <Button variant="inline-link" onClick={() => setGone(t)} ariaLabel={`Delete ${t.prefix}`}>
                  Delete
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
        empty={
          error !== undefined ? (
            <Failure error={error} onRetry={reload} />
          ) : (
            <Empty title="No templates">
              A push to a repository that does not exist is refused. With a template for “Push”, it creates the repository. Create one here, or with{" "}
              <code>aws ecr create-repository-creation-template --prefix ROOT --applied-for CREATE_ON_PUSH</code>
            </Empty>
          )
        }
      />
      {gone && (
        <Confirm
          header={`Delete the template ${gone.prefix}`}
          word="delete"
          button="Delete"
          onClose={() => setGone(undefined)}
          onConfirm={async () => {
            await ecr(client, "DeleteRepositoryCreationTemplate", { prefix: gone.prefix });
            notices.success(`The template ${gone.prefix} is deleted`);
            reload();
          }}
        >
          Repositories that it made stay as they are.
        </Confirm>
      )}
    </ContentLayout>
  );
}
