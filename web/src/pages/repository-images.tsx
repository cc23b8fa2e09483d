// The images of a repository. ECR lists them in no order; so they are read in turn, up to a limit, and sorted here.

import { useCollection } from "@cloudscape-design/collection-hooks";
import Badge from "@cloudscape-design/components/badge";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import Pagination from "@cloudscape-design/components/pagination";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useState } from "react";
import { ecr, type ImageDetail } from "../api/ecr";
import { useNotices } from "../app/notices";
import { href } from "../app/router";
import { useSession } from "../app/session";
import { bytes, count, plural, shortDigest } from "../pure/format";
import { registryHost } from "../pure/push";
import { artifact } from "../pure/words";
import { Confirm } from "../ui/confirm";
import { Copyable } from "../ui/copy";
import { useLoad } from "../ui/data";
import { Empty, Failure } from "../ui/feedback";
import type { TabProps } from "./repository";
import { When } from "../ui/when";

const STEP = 2000;

export function ImageStatus({ status }: { status: string | undefined }) {
  if (status === "ARCHIVED") return <StatusIndicator type="stopped">Archived</StatusIndicator>;
  if (status === "ACTIVATING") return <StatusIndicator type="in-progress">Being restored</StatusIndicator>;
  return <StatusIndicator type="success">Active</StatusIndicator>;
}

export function TagBadges({ tags, most = 4 }: { tags: readonly string[] | undefined; most?: number }) {
  if (!tags?.length) return <Box color="text-status-inactive">untagged</Box>;
  return (
    <span className="badges">
      {tags.slice(0, most).map((t) => (
        <Badge key={t} color="blue">
          {t}
        </Badge>
      ))}
      {tags.length > most && <span>and {tags.length - most} more</span>}
    </span>
  );
}

function columns(uri: string): TableProps.ColumnDefinition<ImageDetail>[] {
  const name = uri.slice(uri.indexOf("/") + 1);
  return [
    {
      id: "tags",
      header: "Image tags",
      minWidth: 150,
      isRowHeader: true,
      sortingComparator: (a, b) => (a.imageTags?.[0] ?? "").localeCompare(b.imageTags?.[0] ?? "", undefined, { numeric: true }),
      cell: (i) => (
        <Link href={href("repositories", name, "images", i.imageDigest!)} ariaLabel={`Image ${i.imageTags?.[0] ?? i.imageDigest}`}>
          <TagBadges tags={i.imageTags} />
        </Link>
      ),
    },
    {
      id: "type",
      header: "Type",
      minWidth: 110,
      sortingField: "artifactMediaType",
      cell: (i) => <span title={i.artifactMediaType ?? i.imageManifestMediaType}>{typeOf(i)}</span>,
    },
    { id: "pushed", header: "Pushed at", minWidth: 150, sortingField: "imagePushedAt", cell: (i) => <When at={i.imagePushedAt} /> },
    {
      id: "size",
      header: "Size",
      minWidth: 90,
      sortingField: "imageSizeInBytes",
      cell: (i) => <span className="number">{bytes(i.imageSizeInBytes ?? 0)}</span>,
    },
    {
      id: "digest",
      header: "Digest",
      minWidth: 220,
      cell: (i) => <Copyable text={i.imageDigest!} shown={shortDigest(i.imageDigest!)} what={`the digest ${shortDigest(i.imageDigest!)}`} />,
    },
    {
      id: "uri",
      header: "Image URI",
      minWidth: 120,
      cell: (i) => {
        const whole = i.imageTags?.[0] ? `${uri}:${i.imageTags[0]}` : `${uri}@${i.imageDigest}`;
        return <Copyable text={whole} shown="Copy URI" what={`the URI ${whole.slice(registryHost(whole).length + 1)}`} />;
      },
    },
    { id: "pulled", header: "Last pulled", minWidth: 150, sortingField: "lastRecordedPullTime", cell: (i) => <When at={i.lastRecordedPullTime} /> },
    { id: "status", header: "Status", minWidth: 130, sortingField: "imageStatus", cell: (i) => <ImageStatus status={i.imageStatus} /> },
  ];
}

export function typeOf(i: { artifactMediaType?: string; imageManifestMediaType?: string }): string {
  const manifest = artifact(i.imageManifestMediaType);
  return manifest === "Image index" ? manifest : artifact(i.artifactMediaType ?? i.imageManifestMediaType);
}

/** Deletes by digest, a hundred at a time; what could not be deleted is told in words. */
export async function deleteImages(client: ReturnType<typeof useSession>["client"], repositoryName: string, digests: readonly string[]) {
  const failures: string[] = [];
  for (let i = 0; i < digests.length; i += 100) {
    const imageIds = digests.slice(i, i + 100).map((imageDigest) => ({ imageDigest }));
    const answer = await ecr(client, "BatchDeleteImage", { repositoryName, imageIds });
    for (const f of answer.failures ?? []) {
      failures.push(
        f.failureCode === "ImageReferencedByManifestList"
          ? `${shortDigest(f.imageId?.imageDigest ?? "")} belongs to an image index, which must be deleted first.`
          : `${shortDigest(f.imageId?.imageDigest ?? "")}: ${f.failureReason ?? "not deleted"}.`,
      );
    }
  }
  return failures;
}

export default function RepositoryImages({ repository, reload }: TabProps) {
  const { client } = useSession();
  const notices = useNotices();
  const [limit, setLimit] = useState(STEP);
  const [modal, setModal] = useState<"delete" | "archive" | "restore">();
  const name = repository.repositoryName!;

  const images = useLoad(
    async (signal) => {
      const items: ImageDetail[] = [];
      let nextToken: string | undefined;
      do {
        const answer = await ecr(client, "DescribeImages", { repositoryName: name, filter: { imageStatus: "ANY" }, maxResults: 1000, nextToken }, signal);
        items.push(...answer.imageDetails!);
        nextToken = answer.nextToken;
      } while (nextToken && items.length < limit);
      return { items, hasMore: Boolean(nextToken) };
    },
    [client, name, limit],
  );
  const all = images.data?.items ?? [];
  const definition = columns(repository.repositoryUri!);

  const { items, collectionProps, filterProps, filteredItemsCount, paginationProps, actions } = useCollection(all, {
    filtering: {
      filteringFunction: (i, text) => {
        const t = text.trim().toLowerCase();
        return !t || [i.imageDigest, typeOf(i), ...(i.imageTags ?? [])].some((x) => x?.toLowerCase().includes(t));
      },
      empty: (
        <Empty title="No images yet">
          “View push commands” above says how to push the first one, for example <code>docker push {repository.repositoryUri}:latest</code>
        </Empty>
      ),
      noMatch: <Empty title="No image has such a tag, digest or type" action={<Button onClick={() => actions.setFiltering("")}>Clear the search</Button>} />,
    },
    sorting: { defaultState: { sortingColumn: definition.find((c) => c.id === "pushed")!, isDescending: true } },
    pagination: { pageSize: 50 },
    selection: { trackBy: "imageDigest", keepSelection: true },
  });
  const selected = collectionProps.selectedItems ?? [];
  const after = () => {
    actions.setSelectedItems([]);
    images.reload();
    reload();
  };

  return (
    <>
      <Table
        {...collectionProps}
        variant="container"
        items={items}
        columnDefinitions={definition}
        stickyColumns={{ first: 1 }}
        selectionType="multi"
        loading={images.isLoading && all.length === 0}
        loadingText="Loading images"
        ariaLabels={{
          selectionGroupLabel: "Images to act on",
          allItemsSelectionLabel: () => "Select all",
          itemSelectionLabel: (_, i) => `Select ${i.imageTags?.[0] ?? i.imageDigest}`,
          tableLabel: "Images",
        }}
        header={
          <Header
            counter={images.data ? `(${count(all.length)}${images.data.hasMore ? "+" : ""})` : undefined}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                {images.data?.hasMore && (
                  <Button onClick={() => setLimit(limit + 5 * STEP)} loading={images.isLoading}>
                    Load more
                  </Button>
                )}
                <Button disabled={selected.length === 0} onClick={() => setModal("delete")}>
                  Delete
                </Button>
                <ButtonDropdown
                  disabled={selected.length === 0}
                  items={[
                    { id: "archive", text: "Archive", disabled: selected.some((i) => i.imageStatus === "ARCHIVED") },
                    { id: "restore", text: "Restore", disabled: selected.some((i) => i.imageStatus !== "ARCHIVED") },
                  ]}
                  onItemClick={({ detail }) => setModal(detail.id as "archive" | "restore")}
                >
                  Storage class
                </ButtonDropdown>
              </SpaceBetween>
            }
          >
            Images
          </Header>
        }
        filter={
          <TextFilter
            {...filterProps}
            filteringPlaceholder="Find by tag, digest or type"
            filteringAriaLabel="Find images"
            countText={filterProps.filteringText ? plural(filteredItemsCount ?? 0, "match", "matches") : ""}
          />
        }
        pagination={<Pagination {...paginationProps} />}
        empty={images.error !== undefined ? <Failure error={images.error} onRetry={images.reload} /> : collectionProps.empty}
      />
      {modal === "delete" && (
        <Confirm
          header={`Delete ${plural(selected.length, "image")}`}
          word="delete"
          button="Delete"
          onClose={() => setModal(undefined)}
          onConfirm={async () => {
            const failures = await deleteImages(client, name, selected.map((i) => i.imageDigest!));
            if (failures.length) notices.failure(new Error(failures.join(" ")), `${plural(failures.length, "image is", "images are")} not deleted`);
            if (failures.length < selected.length) notices.success(`${plural(selected.length - failures.length, "image is", "images are")} deleted`);
            after();
          }}
        >
          Their tags go too. Layers that other images or repositories use stay; the space of the others comes back after collection.
        </Confirm>
      )}
      {(modal === "archive" || modal === "restore") && (
        <Confirm
          header={modal === "archive" ? `Archive ${plural(selected.length, "image")}` : `Restore ${plural(selected.length, "image")}`}
          button={modal === "archive" ? "Archive" : "Restore"}
          onClose={() => setModal(undefined)}
          onConfirm={async () => {
            const targetStorageClass = modal === "archive" ? "ARCHIVE" : "STANDARD";
            for (const i of selected) {
              await ecr(client, "UpdateImageStorageClass", { repositoryName: name, imageId: { imageDigest: i.imageDigest }, targetStorageClass });
            }
            notices.success(`${plural(selected.length, "image is", "images are")} ${modal === "archive" ? "archived" : "being restored"}`);
            after();
          }}
        >
          {modal === "archive" ? "Archived images stay listed, but cannot be pulled until they are restored." : "They can be pulled again when their status is Active."}
        </Confirm>
      )}
    </>
  );
}
