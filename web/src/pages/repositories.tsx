// Private repositories, page by page from the server: searching and sorting is its work, so a hundred thousand are no trouble.

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TableProps } from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { Suspense, useState } from "react";
import { berth, type RepositoryOrder, type RepositorySharing } from "../api/sharing";
import { usePage } from "../app/page";
import { go, href } from "../app/router";
import { useSession } from "../app/session";
import { bytes, count, percent } from "../pure/format";
import { encryptionType, mutability, shortKey } from "../pure/words";
import { usePages, useSettled } from "../ui/data";
import { Empty } from "../ui/feedback";
import { lazyPage } from "../ui/lazy";
import { PagedTable } from "../ui/paged-table";
import { SavedBar } from "../ui/saved";
import { When } from "../ui/when";

const DeleteRepository = lazyPage(() => import("./delete-repository"));
const PushCommands = lazyPage(() => import("./push-commands"));

const PAGE = 50;

const COLUMNS: (TableProps.ColumnDefinition<RepositorySharing> & { order?: RepositoryOrder })[] = [
  {
    id: "name",
    header: "Repository name",
    order: "NAME",
    sortingField: "NAME",
    isRowHeader: true,
    minWidth: 160,
    cell: (r) => <Link href={href("repositories", r.repositoryName)}>{r.repositoryName}</Link>,
  },
  { id: "images", header: "Images", minWidth: 80, cell: (r) => <span className="number">{count(r.images)}</span> },
  {
    id: "logical",
    header: "Size",
    order: "LOGICAL_BYTES",
    sortingField: "LOGICAL_BYTES",
    minWidth: 90,
    cell: (r) => <span className="number">{bytes(r.logicalBytes)}</span>,
  },
  {
    id: "stored",
    header: "Stored",
    order: "STORED_BYTES",
    sortingField: "STORED_BYTES",
    minWidth: 90,
    cell: (r) => <span className="number">{bytes(r.storedBytes)}</span>,
  },
  {
    id: "saved",
    header: "Saved",
    order: "SAVED_BYTES",
    sortingField: "SAVED_BYTES",
    minWidth: 130,
    cell: (r) => (
      <div>
        <span className="number">
          {bytes(r.savedBytes)}
          {r.savedBytes > 0 && ` (${percent(r.savedBytes, r.logicalBytes)})`}
        </span>
        <SavedBar sums={r} />
      </div>
    ),
  },
  { id: "mutability", header: "Mutability", minWidth: 110, cell: (r) => mutability(r.imageTagMutability) },
  {
    id: "encryption",
    header: "Encryption",
    minWidth: 120,
    cell: (r) => (
      <div title={r.kmsKey}>
        {encryptionType(r.encryptionType)}
        {r.kmsKey && (
          <Box variant="small" display="block">
            {shortKey(r.kmsKey)}
          </Box>
        )}
      </div>
    ),
  },
  {
    id: "created",
    header: "Created at",
    order: "CREATED_AT",
    sortingField: "CREATED_AT",
    minWidth: 150,
    cell: (r) => <When at={r.createdAt} />,
  },
];

export default function Repositories() {
  const { client } = useSession();
  const [search, setSearch] = useState("");
  const [sortBy, setSortBy] = useState<RepositoryOrder>("NAME");
  const [selected, setSelected] = useState<RepositorySharing[]>([]);
  const [modal, setModal] = useState<"delete" | "push">();
  const contains = useSettled(search.trim());
  usePage("Repositories", ["Private registry", "#/repositories"]);

  const pages = usePages(
    async (nextToken, signal, maxResults) => {
      const answer = await berth(
        client,
        "ListRepositorySharing",
        { sortBy, nameContains: contains || undefined, maxResults, nextToken },
        signal,
      );
      return { items: answer.repositories, nextToken: answer.nextToken };
    },
    [sortBy, contains],
    PAGE,
  );
  const one = selected.length === 1 ? selected[0] : undefined;

  return (
    <>
      <PagedTable
        variant="full-page"
        level="h1"
        title="Private repositories"
        counter={pages.items.length === 0 || pages.isLoading ? undefined : `(${range(pages.index, pages.items.length, pages.hasMore)})`}
        stickyHeader
        pages={pages}
        columnDefinitions={COLUMNS}
        stickyColumns={{ first: 1 }}
        trackBy="repositoryName"
        selectionType="multi"
        selectedItems={selected}
        onSelectionChange={({ detail }) => setSelected(detail.selectedItems)}
        ariaLabels={{
          selectionGroupLabel: "Repositories to act on",
          allItemsSelectionLabel: () => "Select all on this page",
          itemSelectionLabel: (_, r) => `Select ${r.repositoryName}`,
          tableLabel: "Private repositories",
        }}
        sortingColumn={COLUMNS.find((c) => c.order === sortBy)}
        sortingDescending={sortBy !== "NAME"}
        onSortingChange={({ detail }) => setSortBy((detail.sortingColumn.sortingField as RepositoryOrder | undefined) ?? "NAME")}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button iconName="refresh" ariaLabel="Refresh" onClick={pages.reload} />
            <Button disabled={!one} onClick={() => setModal("push")}>
              View push commands
            </Button>
            <Button disabled={selected.length === 0} onClick={() => setModal("delete")}>
              Delete
            </Button>
            <ButtonDropdown
              disabled={!one}
              items={[
                { id: "permissions", text: "Permissions" },
                { id: "lifecycle", text: "Lifecycle policy" },
                { id: "tags", text: "Repository tags" },
                { id: "sharing", text: "Sharing" },
              ]}
              onItemClick={({ detail }) => one && go(href("repositories", one.repositoryName, detail.id))}
            >
              Actions
            </ButtonDropdown>
            <Button variant="primary" href="#/create-repository">
              Create repository
            </Button>
          </SpaceBetween>
        }
        filter={
          <TextFilter
            filteringText={search}
            onChange={({ detail }) => setSearch(detail.filteringText)}
            filteringPlaceholder="Search repositories by a part of the name"
            filteringAriaLabel="Search repositories"
            countText={contains && !pages.isLoading ? (pages.hasMore ? `${pages.items.length}+ matches` : `${pages.items.length} on this page`) : ""}
          />
        }
        empty={
          contains ? (
            <Empty title="No repository has such a name" action={<Button onClick={() => setSearch("")}>Clear the search</Button>} />
          ) : (
            <Empty
              title="No repositories yet"
              action={
                <Button variant="primary" href="#/create-repository">
                  Create repository
                </Button>
              }
            >
              Create one here, or with the AWS CLI: <code>aws ecr create-repository --repository-name app/web</code>
            </Empty>
          )
        }
      />
      <Suspense>
        {modal === "delete" && (
          <DeleteRepository
            repositories={selected}
            onClose={() => setModal(undefined)}
            onDone={() => {
              setSelected([]);
              pages.reload();
            }}
          />
        )}
        {modal === "push" && one && <PushCommands name={one.repositoryName} onClose={() => setModal(undefined)} />}
      </Suspense>
    </>
  );
}

/** "1-50+" of a list whose end is not known yet, "51-73" of its last page. */
function range(index: number, items: number, hasMore: boolean): string {
  const first = (index - 1) * PAGE + 1;
  return index === 1 && !hasMore ? count(items) : `${count(first)}-${count(first + items - 1)}${hasMore ? "+" : ""}`;
}
