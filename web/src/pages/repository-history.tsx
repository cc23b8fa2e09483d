// Where tags pointed, and when they were moved.

import Box from "@cloudscape-design/components/box";
import Link from "@cloudscape-design/components/link";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import type { TableProps } from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useState } from "react";
import { berth, type TagEvent } from "../api/sharing";
import { href } from "../app/router";
import { useSession } from "../app/session";
import { shortDigest } from "../pure/format";
import { usePages, useSettled } from "../ui/data";
import { Empty } from "../ui/feedback";
import { PagedTable } from "../ui/paged-table";
import type { TabProps } from "./repository";
import { When } from "../ui/when";

const who = (principal: string | undefined) => (principal === "lifecycle" ? "Lifecycle policy" : (principal?.split(":").pop() ?? "-"));

export function historyColumns(repository: string): TableProps.ColumnDefinition<TagEvent>[] {
  const image = (digest: string | undefined) =>
    digest ? (
      <Link href={href("repositories", repository, "images", digest)}>
        <span className="mono">{shortDigest(digest)}</span>
      </Link>
    ) : (
      "-"
    );
  return [
    { id: "at", header: "When", minWidth: 150, cell: (e) => <When at={e.at} /> },
    { id: "tag", header: "Tag", minWidth: 100, isRowHeader: true, cell: (e) => e.imageTag },
    {
      id: "what",
      header: "What happened",
      minWidth: 140,
      cell: (e) =>
        e.action === "REMOVED" ? (
          <StatusIndicator type="stopped">Removed</StatusIndicator>
        ) : e.previousImageDigest ? (
          <StatusIndicator type="info">Moved</StatusIndicator>
        ) : (
          <StatusIndicator type="success">Set</StatusIndicator>
        ),
    },
    { id: "to", header: "Image", minWidth: 190, cell: (e) => image(e.imageDigest) },
    { id: "from", header: "Before", minWidth: 190, cell: (e) => image(e.previousImageDigest) },
    { id: "who", header: "By", minWidth: 140, cell: (e) => who(e.principal) },
  ];
}

export default function RepositoryHistory({ repository }: TabProps) {
  const { client } = useSession();
  const [text, setText] = useState("");
  const imageTag = useSettled(text.trim()) || undefined;
  const repositoryName = repository.repositoryName!;
  const pages = usePages(
    async (nextToken, signal) => {
      const answer = await berth(client, "ListTagHistory", { repositoryName, imageTag, maxResults: 50, nextToken }, signal);
      return { items: answer.events, nextToken: answer.nextToken };
    },
    [repositoryName, imageTag],
  );
  return (
    <PagedTable
      title="Tag history"
      description="The last 100 changes of each tag are kept."
      pages={pages}
      columnDefinitions={historyColumns(repositoryName)}
      ariaLabels={{ tableLabel: "Tag history" }}
      filter={<TextFilter filteringText={text} onChange={({ detail }) => setText(detail.filteringText)} filteringPlaceholder="One tag, written out" filteringAriaLabel="Show one tag" />}
      empty={<Empty title={imageTag ? `Nothing is known of a tag ${imageTag}` : "No tag has been set yet"}>{!imageTag && <Box variant="span">It is written down from the first push on.</Box>}</Empty>}
    />
  );
}
