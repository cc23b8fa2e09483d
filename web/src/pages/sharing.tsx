// What sharing saves: in all, over time, per pool and per repository.

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { berth, type HistoryPoint } from "../api/sharing";
import { usePage } from "../app/page";
import { href } from "../app/router";
import { useSession } from "../app/session";
import { bytes, count, percent, plural } from "../pure/format";
import { poolId, poolLabel } from "../pure/words";
import { BarList, HistoryChart } from "../ui/charts";
import { DataTable } from "../ui/data-table";
import { useLoad } from "../ui/data";
import { Details } from "../ui/details";
import { Empty, Failure, Loading } from "../ui/feedback";
import { SavedBar } from "../ui/saved";
import { When } from "../ui/when";

export default function Sharing() {
  const { client } = useSession();
  usePage("Savings", ["Sharing", "#/sharing"]);
  const { data, error, reload } = useLoad((signal) => berth(client, "GetSharingSummary", {}, signal), [client]);
  if (!data) return error === undefined ? <Loading /> : <Failure error={error} onRetry={reload} />;
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          description="A layer is stored once for all repositories that share it. This is what that saves."
          actions={<Button iconName="refresh" ariaLabel="Refresh" onClick={reload} />}
        >
          Savings
        </Header>
      }
    >
      <SpaceBetween size="l">
        {data.blobMounting === "DISABLED" && (
          <Alert
            type="info"
            header="Blob mounting is off in this registry"
            action={
              <SpaceBetween direction="horizontal" size="xs">
                <Button href="#/sharing/estimate">What would it save?</Button>
                <Button href="#/settings">Go to the setting</Button>
              </SpaceBetween>
            }
          >
            New pushes upload every layer again, even when another repository has it.
          </Alert>
        )}
        <Container>
          <SpaceBetween size="l">
            <Details
              items={[
                ["Saved by sharing", <Figure value={bytes(data.savedBytes)} note={`${percent(data.savedBytes, data.logicalBytes)} of the size`} />],
                ["Size of all repositories", <Figure value={bytes(data.logicalBytes)} note="without sharing it would all be stored" />],
                ["Stored", <Figure value={bytes(data.storedBytes)} note={data.waitingBytes ? `and ${bytes(data.waitingBytes)} waiting for collection` : `in ${plural(data.layers, "layer")}`} />],
                ["Layers", <Figure value={count(data.layers)} note={`used ${count(data.links)} times by ${plural(data.repositories, "repository", "repositories")}`} />],
              ]}
            />
            <SavedBar sums={data} wide />
          </SpaceBetween>
        </Container>
        <History />
        <DataTable
          title="Pools"
          description="Repositories share within a pool: those with the same encryption type and key."
          actions={<Button href="#/sharing/pools">Compare pools</Button>}
          items={data.pools}
          columns={[
            { id: "pool", header: "Pool", isRowHeader: true, minWidth: 160, cell: (p) => <span title={p.kmsKey}>{poolLabel(p)}</span> },
            { id: "repositories", header: "Repositories", sortingField: "repositories", cell: (p) => count(p.repositories) },
            { id: "logical", header: "Size", sortingField: "logicalBytes", cell: (p) => bytes(p.logicalBytes) },
            { id: "stored", header: "Stored", sortingField: "storedBytes", cell: (p) => bytes(p.storedBytes) },
            { id: "saved", header: "Saved", sortingField: "savedBytes", cell: (p) => `${bytes(p.savedBytes)} (${percent(p.savedBytes, p.logicalBytes)})` },
            { id: "bar", header: "Stored and saved", minWidth: 160, cell: (p) => <SavedBar sums={p} max={Math.max(...data.pools.map((x) => x.logicalBytes))} /> },
          ]}
          empty={<Empty title="Nothing is stored yet">Push an image to a repository, for example with <code>docker push</code>, and it shows here.</Empty>}
        />
        <TopRepositories />
      </SpaceBetween>
    </ContentLayout>
  );
}

function Figure({ value, note }: { value: string; note: string }) {
  return (
    <>
      <Box fontSize="heading-xl" fontWeight="bold">
        <span className="number">{value}</span>
      </Box>
      <Box color="text-body-secondary" fontSize="body-s">
        {note}
      </Box>
    </>
  );
}

const SPANS: Record<string, [string, number]> = { "1": ["Day", 1], "7": ["Week", 7], "30": ["Month", 30], "365": ["Year", 365] };

function History() {
  const { client } = useSession();
  const [span, setSpan] = useState("30");
  const { data, error, reload } = useLoad(
    async (signal) => {
      const startTime = Math.floor(Date.now() / 1000) - SPANS[span]![1] * 86_400;
      return (await berth(client, "GetSharingHistory", { startTime, maxPoints: 300 }, signal)).points;
    },
    [client, span],
  );
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            <SegmentedControl
              label="How far back"
              selectedId={span}
              onChange={({ detail }) => setSpan(detail.selectedId)}
              options={Object.entries(SPANS).map(([id, [text]]) => ({ id, text }))}
            />
          }
        >
          Over time
        </Header>
      }
    >
      {error !== undefined ? (
        <Failure error={error} onRetry={reload} />
      ) : !data ? (
        <Loading />
      ) : data.length < 2 ? (
        <Empty title="There is no history yet">It is written down every five minutes while something changes.</Empty>
      ) : (
        <SpaceBetween size="s">
          <HistoryChart points={data} label="Stored size and savings over time" />
          <ExpandableSection headerText="As a table">
            <DataTable<HistoryPoint>
              title="History"
              level="h3"
              variant="embedded"
              pageSize={20}
              items={[...data].reverse()}
              columns={[
                { id: "at", header: "When", isRowHeader: true, minWidth: 150, cell: (p) => <When at={p.at} /> },
                { id: "logical", header: "Size", cell: (p) => bytes(p.logicalBytes) },
                { id: "stored", header: "Stored", cell: (p) => bytes(p.storedBytes) },
                { id: "saved", header: "Saved", cell: (p) => bytes(p.savedBytes) },
                { id: "repositories", header: "Repositories", cell: (p) => count(p.repositories) },
                { id: "images", header: "Images", cell: (p) => count(p.images) },
              ]}
              empty={<Empty title="None" />}
            />
          </ExpandableSection>
        </SpaceBetween>
      )}
    </Container>
  );
}

function TopRepositories() {
  const { client } = useSession();
  const { data, error, reload } = useLoad(
    async (signal) => (await berth(client, "ListRepositorySharing", { sortBy: "SAVED_BYTES", maxResults: 12 }, signal)).repositories,
    [client],
  );
  const saving = (data ?? []).filter((r) => r.savedBytes > 0);
  return (
    <Container
      header={
        <Header variant="h2" description="A shared layer counts as stored for its first holder, and as saved for every other one." actions={<Button href="#/sharing/map">Who shares with whom</Button>}>
          Repositories that save most
        </Header>
      }
    >
      {error !== undefined ? (
        <Failure error={error} onRetry={reload} />
      ) : !data ? (
        <Loading />
      ) : saving.length === 0 ? (
        <Empty title="No repository saves anything yet">
          Push two images that are built on the same base, with blob mounting on, for example <code>docker push</code> of both.
        </Empty>
      ) : (
        <BarList
          tone="mounted"
          label="Saved bytes of each repository"
          items={saving.map((r) => ({
            key: `${r.repositoryName} ${poolId(r)}`,
            name: <Link href={href("repositories", r.repositoryName, "sharing")}>{r.repositoryName}</Link>,
            value: r.savedBytes,
            words: `${bytes(r.savedBytes)} of ${bytes(r.logicalBytes)}`,
          }))}
        />
      )}
    </Container>
  );
}
