// What this repository shares, with whom, and where its layers came from.

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { berth } from "../api/sharing";
import { href } from "../app/router";
import { useSession } from "../app/session";
import { bytes, percent, plural, shortDigest } from "../pure/format";
import { useLoad, usePages } from "../ui/data";
import { BarList } from "../ui/charts";
import { Empty, Failure, Loading } from "../ui/feedback";
import { OriginText } from "../ui/origin";
import { PagedTable } from "../ui/paged-table";
import { SavedBar } from "../ui/saved";
import type { TabProps } from "./repository";
import { When } from "../ui/when";

export default function RepositorySharing({ repository, sums }: TabProps) {
  const { client } = useSession();
  const repositoryName = repository.repositoryName!;
  const partners = useLoad((signal) => berth(client, "ListSharingPairs", { repositoryName }, signal), [client, repositoryName]);
  const pages = usePages(
    async (nextToken, signal) => {
      const answer = await berth(client, "ListRepositoryLayers", { repositoryName, maxResults: 50, nextToken }, signal);
      return { items: answer.layers, nextToken: answer.nextToken };
    },
    [repositoryName],
  );
  const pairs = (partners.data?.pairs ?? []).map((p) => ({
    other: p.repositoryNames.find((n) => n !== repositoryName) ?? repositoryName,
    bytes: p.sharedBytes,
    layers: p.sharedLayers,
  }));

  return (
    <SpaceBetween size="l">
      {sums && (
        <Container
          header={
            <Header
              variant="h2"
              description="A layer that several repositories hold is stored once, and counted as stored for the first of them."
              actions={<Button href={`#/sharing/mounts?repository=${encodeURIComponent(repositoryName)}`}>Mount log</Button>}
            >
              {sums.logicalBytes === 0
                ? "Nothing is stored yet"
                : `${percent(sums.savedBytes, sums.logicalBytes)} of ${bytes(sums.logicalBytes)} is shared and need not be stored again`}
            </Header>
          }
        >
          <SavedBar sums={sums} wide />
        </Container>
      )}
      <Container header={<Header variant="h2">Shares with{partners.data && ` ${plural(pairs.length, "repository", "repositories")}`}</Header>}>
        {partners.error !== undefined ? (
          <Failure error={partners.error} onRetry={partners.reload} />
        ) : !partners.data ? (
          <Loading />
        ) : pairs.length === 0 ? (
          <Empty title="It shares no layers">
            Layers are shared when an image that is pushed here is built on one that the registry has already, blob mounting is on, and both
            repositories are encrypted alike.
          </Empty>
        ) : (
          <>
            <BarList
              label={`Bytes that ${repositoryName} shares with others`}
              items={pairs.slice(0, 20).map((p) => ({
                key: p.other,
                name: <Link href={href("repositories", p.other, "sharing")}>{p.other}</Link>,
                value: p.bytes,
                words: `${bytes(p.bytes)} in ${plural(p.layers, "layer")}`,
              }))}
            />
            {partners.data.isPartial && (
              <Box color="text-body-secondary" margin={{ top: "s" }}>
                The repository has more layers than were looked at: it shares at least this much.
              </Box>
            )}
          </>
        )}
      </Container>
      <PagedTable
        title="Layers"
        description="Each layer that the repository holds, with where it came from."
        pages={pages}
        ariaLabels={{ tableLabel: "Layers" }}
        columnDefinitions={[
          {
            id: "digest",
            header: "Layer",
            minWidth: 200,
            isRowHeader: true,
            cell: (l) => (
              <Link href={href("layers", l.layerDigest)}>
                <span className="mono">{shortDigest(l.layerDigest)}</span>
              </Link>
            ),
          },
          { id: "size", header: "Size", minWidth: 90, cell: (l) => <span className="number">{bytes(l.layerSize)}</span> },
          { id: "origin", header: "Where it came from", minWidth: 200, cell: (l) => <OriginText origin={l.origin} source={l.sourceRepositoryName} /> },
          { id: "also", header: "Who else uses it", minWidth: 150, cell: (l) => <Others holders={l.holders} digest={l.layerDigest} /> },
          {
            id: "use",
            header: "In use",
            minWidth: 110,
            cell: (l) => (l.inUse ? <StatusIndicator type="success">By an image</StatusIndicator> : <StatusIndicator type="pending">By none</StatusIndicator>),
          },
          { id: "since", header: "Since", minWidth: 150, cell: (l) => <When at={l.linkedAt} /> },
        ]}
        empty={<Empty title="No layers yet">“View push commands” says how to push an image.</Empty>}
      />
    </SpaceBetween>
  );
}

/** "3 others", linked to the layer's page. */
export function Others({ holders, digest }: { holders: number | undefined; digest: string }) {
  if (holders === undefined) return <Box color="text-status-inactive">Not for you to see</Box>;
  if (holders <= 1) return <>Nobody</>;
  return (
    <Link href={href("layers", digest)} ariaLabel={`${plural(holders - 1, "other repository", "other repositories")} use ${digest}`}>
      {plural(holders - 1, "other repository", "other repositories")}
    </Link>
  );
}
