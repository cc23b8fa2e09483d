// Pools side by side: who can share with whom at all, and why not with the others.

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { berth, type Pool, type RepositorySharing } from "../api/sharing";
import { usePage } from "../app/page";
import { href } from "../app/router";
import { useSession } from "../app/session";
import { bytes, count, percent, plural } from "../pure/format";
import { poolId, poolLabel, whyApart } from "../pure/words";
import { Copyable } from "../ui/copy";
import { useLoad } from "../ui/data";
import { Details } from "../ui/details";
import { Empty, Failure, Loading } from "../ui/feedback";
import { SavedBar } from "../ui/saved";

const ENCRYPTED_BY: Record<Pool["encryptedBy"], string> = {
  berth: "Berth, with a key that it keeps",
  kms: "Berth, with the named key",
  disk: "The disk, as the operator says",
  none: "Nobody: stored as they are",
};

export default function Pools() {
  const { client } = useSession();
  usePage("Pools", ["Sharing", "#/sharing"]);
  const { data, error, reload } = useLoad(
    async (signal) => {
      const [summary, largest] = await Promise.all([
        berth(client, "GetSharingSummary", {}, signal),
        berth(client, "ListRepositorySharing", { sortBy: "LOGICAL_BYTES", maxResults: 500 }, signal),
      ]);
      return { summary, repositories: largest.repositories, isPartial: Boolean(largest.nextToken) };
    },
    [client],
  );
  if (!data) return error === undefined ? <Loading /> : <Failure error={error} onRetry={reload} />;
  const pools = data.summary.pools;
  return (
    <ContentLayout
      header={
        <Header variant="h1" description="A pool is all that is encrypted with the same type and key. Layers are shared inside a pool and never across: their bytes are sealed with different keys.">
          Pools
        </Header>
      }
    >
      <SpaceBetween size="l">
        {pools.length === 0 && (
          <Container>
            <Empty title="Nothing is stored yet">Push an image to a repository, for example with <code>docker push</code>, and its pool shows here.</Empty>
          </Container>
        )}
        {pools.length > 1 && <Apart pools={pools} />}
        <ColumnLayout columns={Math.min(3, pools.length)} minColumnWidth={300}>
          {pools.map((p) => (
            <PoolCard
              key={poolId(p)}
              pool={p}
              repositories={data.repositories.filter((r) => poolId(r) === poolId(p))}
              isPartial={data.isPartial}
            />
          ))}
        </ColumnLayout>
      </SpaceBetween>
    </ContentLayout>
  );
}

/** Why repositories of different pools cannot share, for each two of the largest pools. */
function Apart({ pools }: { pools: readonly Pool[] }) {
  const pairs: [Pool, Pool][] = [];
  pools.slice(0, 5).forEach((a, i) => pools.slice(i + 1, 5).forEach((b) => pairs.push([a, b])));
  const small = pools.slice(1).reduce((n, p) => n + p.repositories, 0);
  return (
    <Alert type="info" header={`${plural(small, "repository", "repositories")} cannot share with the ${plural(pools[0]!.repositories, "repository", "repositories")} of the largest pool`}>
      <SpaceBetween size="xs">
        <span>A repository&apos;s encryption is fixed when it is created. To let two repositories share, create one anew with the encryption of the other and push its images there.</span>
        <ExpandableSection headerText="Why not, pool by pool">
          <ul className="plain-list">
            {pairs.map(([a, b]) => (
              <li key={`${poolId(a)} ${poolId(b)}`}>
                <b>{poolLabel(a)}</b> and <b>{poolLabel(b)}</b>: {whyApart(a, b)}
              </li>
            ))}
          </ul>
        </ExpandableSection>
      </SpaceBetween>
    </Alert>
  );
}

function PoolCard({ pool, repositories, isPartial }: { pool: Pool; repositories: readonly RepositorySharing[]; isPartial: boolean }) {
  const shown = repositories.slice(0, 12);
  const more = pool.repositories - shown.length;
  return (
    <Container
      fitHeight
      header={
        <Header variant="h2" description={plural(pool.repositories, "repository", "repositories")}>
          {poolLabel(pool)}
        </Header>
      }
    >
      <SpaceBetween size="m">
        <SavedBar sums={pool} wide />
        <Details
          columns={2}
          items={[
            ["Size", bytes(pool.logicalBytes)],
            ["Stored", bytes(pool.storedBytes)],
            ["Saved", `${bytes(pool.savedBytes)} (${percent(pool.savedBytes, pool.logicalBytes)})`],
            ["Layers", `${count(pool.layers)}, used ${count(pool.links)} times`],
            ["Encrypted by", ENCRYPTED_BY[pool.encryptedBy]],
            ["Waiting for collection", bytes(pool.waitingBytes)],
          ]}
        />
        {pool.kmsKey && <Details columns={1} items={[["Key", <Copyable text={pool.kmsKey} what="the key's ARN" />]]} />}
        <div>
          <Box variant="awsui-key-label">Repositories that can share with each other</Box>
          <ul className="plain-list">
            {shown.map((r) => (
              <li key={r.repositoryName}>
                <Link href={href("repositories", r.repositoryName, "sharing")}>{r.repositoryName}</Link> <span className="number">{bytes(r.logicalBytes)}</span>
              </li>
            ))}
            {more > 0 && <li>{shown.length === 0 && isPartial ? plural(more, "smaller one") : `and ${count(more)} more`}</li>}
          </ul>
        </div>
      </SpaceBetween>
    </Container>
  );
}
