// Which repositories share with which.

import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { berth, type SharingPairs } from "../api/sharing";
import { usePage } from "../app/page";
import { href } from "../app/router";
import { useSession } from "../app/session";
import { bytes, count, plural } from "../pure/format";
import { poolId, poolLabel } from "../pure/words";
import { Chord } from "../ui/chord";
import { DataTable } from "../ui/data-table";
import { useLoad } from "../ui/data";
import { Empty, Failure, Loading } from "../ui/feedback";

export default function SharingMap() {
  const { client } = useSession();
  const [view, setView] = useState(() => (innerWidth < 700 ? "table" : "picture"));
  usePage("Who shares with whom", ["Sharing", "#/sharing"]);
  const { data, error, reload } = useLoad((signal) => berth(client, "ListSharingPairs", { maxResults: 500 }, signal), [client]);
  const poolOf = new Map((data?.repositories ?? []).map((r) => [r.repositoryName, r]));
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          description="Each ribbon is as wide as what two repositories share. Each pool has a picture of its own: repositories of different pools cannot share."
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button iconName="refresh" ariaLabel="Refresh" onClick={reload} />
              <SegmentedControl
                label="How to show it"
                selectedId={view}
                onChange={({ detail }) => setView(detail.selectedId)}
                options={[
                  { id: "picture", text: "Picture" },
                  { id: "table", text: "Table" },
                ]}
              />
            </SpaceBetween>
          }
        >
          Who shares with whom
        </Header>
      }
    >
      <SpaceBetween size="l">
        {error !== undefined && <Failure error={error} onRetry={reload} />}
        {!data && error === undefined && <Loading />}
        {data?.isPartial && (
          <Alert type="info">The registry is large: the picture shows the repositories that share most of the {count(data.layersExamined)} layers that save most.</Alert>
        )}
        {data && data.pairs.length === 0 && (
          <Container>
            <Empty title="No two repositories share a layer yet">
              Push two images that are built on the same base, with blob mounting on, for example with <code>docker push</code>.
            </Empty>
          </Container>
        )}
        {data && data.pairs.length > 0 && view === "picture" && (
          <Pictures data={data} />
        )}
        {data && data.pairs.length > 0 && view === "table" && (
          <DataTable
            title="Pairs"
            items={data.pairs}
            pageSize={50}
            defaultSort={{ column: "bytes", descending: true }}
            columns={[
              {
                id: "a",
                header: "Repository",
                isRowHeader: true,
                minWidth: 160,
                sortingComparator: (x, y) => x.repositoryNames[0].localeCompare(y.repositoryNames[0]),
                cell: (p) => <Link href={href("repositories", p.repositoryNames[0], "sharing")}>{p.repositoryNames[0]}</Link>,
              },
              {
                id: "b",
                header: "shares with",
                minWidth: 160,
                sortingComparator: (x, y) => x.repositoryNames[1].localeCompare(y.repositoryNames[1]),
                cell: (p) => <Link href={href("repositories", p.repositoryNames[1], "sharing")}>{p.repositoryNames[1]}</Link>,
              },
              { id: "bytes", header: "Shared", minWidth: 100, sortingField: "sharedBytes", cell: (p) => <span className="number">{bytes(p.sharedBytes)}</span> },
              { id: "layers", header: "Layers", minWidth: 90, sortingField: "sharedLayers", cell: (p) => count(p.sharedLayers) },
              {
                id: "pool",
                header: "Encryption of both",
                minWidth: 140,
                cell: (p) => {
                  const r = poolOf.get(p.repositoryNames[0]);
                  return r ? poolLabel(r) : "-";
                },
              },
            ]}
            empty={<Empty title="None" />}
          />
        )}
      </SpaceBetween>
    </ContentLayout>
  );
}

/** One picture a pool, those that share most first. */
function Pictures({ data }: { data: SharingPairs }) {
  const pools = new Map<string, SharingPairs["repositories"]>();
  for (const r of data.repositories) pools.set(poolId(r), [...(pools.get(poolId(r)) ?? []), r]);
  const pictures = [...pools.values()]
    .map((repositories) => {
      const names = new Set(repositories.map((r) => r.repositoryName));
      const pairs = data.pairs.filter((p) => names.has(p.repositoryNames[0]));
      return { repositories, pairs, bytes: pairs.reduce((n, p) => n + p.sharedBytes, 0) };
    })
    .sort((a, b) => b.bytes - a.bytes);
  const [first, ...others] = pictures.map((p, i) => (
    <Container
      key={poolId(p.repositories[0]!)}
      header={
        <Header variant="h2" description={plural(p.repositories.length, "repository", "repositories")}>
          {poolLabel(p.repositories[0]!)}
        </Header>
      }
    >
      <Chord repositories={p.repositories} pairs={p.pairs} isSmall={i > 0} />
    </Container>
  ));
  return (
    <SpaceBetween size="l">
      {first}
      {others.length > 0 && (
        <ColumnLayout columns={2} minColumnWidth={420}>
          {others}
        </ColumnLayout>
      )}
    </SpaceBetween>
  );
}
