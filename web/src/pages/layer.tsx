// One layer: which repositories hold it, in which pools, and what that saves.

import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { berth } from "../api/sharing";
import { usePage } from "../app/page";
import { href } from "../app/router";
import { useSession } from "../app/session";
import { bytes, plural, shortDigest } from "../pure/format";
import { poolId, poolLabel } from "../pure/words";
import { Copyable } from "../ui/copy";
import { DataTable } from "../ui/data-table";
import { useLoad, usePages } from "../ui/data";
import { Details } from "../ui/details";
import { Empty, Failure, Loading } from "../ui/feedback";
import { OriginText } from "../ui/origin";
import { PagedTable } from "../ui/paged-table";
import { When } from "../ui/when";

export default function LayerPage({ digest }: { digest: string }) {
  const { client } = useSession();
  usePage(shortDigest(digest), ["Sharing", "#/sharing"], ["Shared layers", "#/sharing/layers"]);
  const { data, error, reload } = useLoad((signal) => berth(client, "DescribeLayer", { layerDigest: digest, maxResults: 1 }, signal), [client, digest]);
  const holders = usePages(
    async (nextToken, signal) => {
      const answer = await berth(client, "DescribeLayer", { layerDigest: digest, maxResults: 100, nextToken }, signal);
      return { items: answer.holders, nextToken: answer.nextToken };
    },
    [digest],
  );
  if (!data) return error === undefined ? <Loading /> : <Failure error={error} onRetry={reload} />;
  const uses = data.pools.reduce((n, p) => n + p.holders, 0);
  const saved = data.pools.reduce((n, p) => n + p.savedBytes, 0);
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          description={
            uses > 1
              ? `Stored ${data.pools.length === 1 ? "once" : plural(data.pools.length, "time")}, used by ${plural(uses, "repository", "repositories")}: ${bytes(saved)} saved.`
              : "One repository uses it, so it saves nothing yet."
          }
        >
          Layer {shortDigest(digest)}
        </Header>
      }
    >
      <SpaceBetween size="l">
        <Container>
          <SpaceBetween size="m">
            <Details
              items={[
                ["Size", bytes(data.layerSize)],
                ["Repositories", plural(uses, "repository", "repositories")],
                ["Stored", bytes(data.layerSize * data.pools.length)],
                ["Saved", bytes(saved)],
              ]}
            />
            <Details columns={1} items={[["Digest", <Copyable text={digest} what="the digest" />]]} />
          </SpaceBetween>
        </Container>
        {data.pools.length > 1 && (
          <DataTable
            title="Pools"
            description="Repositories that are encrypted differently cannot share, so the layer is stored once in each pool."
            items={data.pools}
            columns={[
              { id: "pool", header: "Pool", isRowHeader: true, cell: (p) => poolLabel(p) },
              { id: "holders", header: "Repositories", cell: (p) => p.holders },
              { id: "saved", header: "Saved", cell: (p) => bytes(p.savedBytes) },
              { id: "since", header: "Since", minWidth: 150, cell: (p) => <When at={p.createdAt} /> },
            ]}
            empty={<Empty title="None" />}
          />
        )}
        <PagedTable
          title="Repositories that hold it"
          pages={holders}
          trackBy={(h) => `${h.repositoryName} ${poolId(h)}`}
          ariaLabels={{ tableLabel: "Repositories that hold it" }}
          columnDefinitions={[
            {
              id: "name",
              header: "Repository",
              isRowHeader: true,
              minWidth: 180,
              cell: (h) => <Link href={href("repositories", h.repositoryName, "sharing")}>{h.repositoryName}</Link>,
            },
            { id: "origin", header: "Where it came from", minWidth: 220, cell: (h) => <OriginText origin={h.origin} source={h.sourceRepositoryName} /> },
            { id: "pool", header: "Encryption", minWidth: 140, cell: (h) => poolLabel(h) },
            {
              id: "use",
              header: "In use",
              minWidth: 120,
              cell: (h) => (h.inUse ? <StatusIndicator type="success">By an image</StatusIndicator> : <StatusIndicator type="pending">By none</StatusIndicator>),
            },
            { id: "since", header: "Since", minWidth: 150, cell: (h) => <When at={h.linkedAt} /> },
          ]}
          empty={<Empty title="No repository holds it any more">It is removed by the next collection.</Empty>}
        />
      </SpaceBetween>
    </ContentLayout>
  );
}
