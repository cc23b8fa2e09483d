// How the server does, and what is being uploaded now.

import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import ProgressBar from "@cloudscape-design/components/progress-bar";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { berth, type ServerStatus, type Upload } from "../api/sharing";
import { usePage } from "../app/page";
import { href } from "../app/router";
import { useSession } from "../app/session";
import { ago, bytes, count, duration, latency, percent, plural, time } from "../pure/format";
import { DataTable } from "../ui/data-table";
import { useEvery, useLoad } from "../ui/data";
import { Details } from "../ui/details";
import { Empty, Failure, Loading } from "../ui/feedback";

export default function Status() {
  const { client } = useSession();
  usePage("Status", ["Server", "#/status"]);
  const status = useLoad((signal) => berth(client, "GetServerStatus", {}, signal), [client]);
  const uploads = useLoad(async (signal) => (await berth(client, "ListUploads", { maxResults: 100 }, signal)), [client]);
  useEvery(5000, () => {
    if (status.error === undefined) status.reload();
    if (uploads.error === undefined) uploads.reload();
  });
  const s = status.data;
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          description={s && `Berth ${s.version}, up for ${duration(s.now - s.startedAt)}. Refreshed every five seconds.`}
          actions={<Button iconName="refresh" ariaLabel="Refresh" onClick={() => (status.reload(), uploads.reload())} />}
        >
          Status
        </Header>
      }
    >
      <SpaceBetween size="l">
        {!s && (status.error === undefined ? <Loading /> : <Failure error={status.error} onRetry={status.reload} />)}
        {s && <Health s={s} />}
        {s && <Storage s={s} />}
        <Uploads items={uploads.data?.uploads ?? []} hasMore={Boolean(uploads.data?.nextToken)} error={uploads.error} loading={uploads.isLoading && !uploads.data} />
        {s && <Requests s={s} />}
      </SpaceBetween>
    </ContentLayout>
  );
}

function Health({ s }: { s: ServerStatus }) {
  const isFull = s.storage.freeBytes < s.storage.minFreeBytes;
  const failed = s.requests.reduce((n, r) => n + r.failed, 0);
  return (
    <Container header={<Header variant="h2">Server</Header>}>
      <Details
        items={[
          [
            "Health",
            isFull ? (
              <StatusIndicator type="error">Storage is full</StatusIndicator>
            ) : failed > 0 ? (
              <StatusIndicator type="warning">{plural(failed, "failed request")}</StatusIndicator>
            ) : (
              <StatusIndicator type="success">Healthy</StatusIndicator>
            ),
          ],
          ["Started", time(s.startedAt)],
          ["Requests", count(s.requestsInAll)],
          ["Connections", count(s.connections)],
          ["Memory", bytes(s.memoryBytes)],
          ["Writes that wait", count(s.databaseQueue)],
          ["Uploads", `${count(s.uploads.open)} receiving now, ${count(s.uploads.inProgress)} in all`],
          ["Version", s.version],
        ]}
      />
    </Container>
  );
}

function Storage({ s }: { s: ServerStatus }) {
  const { storage: disk, collection: c } = s;
  const used = disk.totalBytes - disk.freeBytes;
  const isKnown = disk.totalBytes > 0;
  return (
    <Container header={<Header variant="h2">Storage and collection</Header>}>
      <SpaceBetween size="l">
        {isKnown && (
          <ProgressBar
            label="Disk"
            value={(100 * used) / disk.totalBytes}
            additionalInfo={`${bytes(used)} of ${bytes(disk.totalBytes)} used, ${bytes(disk.freeBytes)} (${percent(disk.freeBytes, disk.totalBytes)}) free. Uploads are refused below ${bytes(disk.minFreeBytes)}.`}
          />
        )}
        <Details
          items={[
            ["Stored in layers", bytes(disk.storedBytes)],
            ["Waiting for collection", bytes(c.waitingBytes)],
            ["Layers to look at again", count(c.candidates)],
            ["Files to remove", count(c.trash)],
            ["Removed since the start", bytes(c.collectedBytes)],
            ["Runs of collection", count(c.runs)],
            ["Errors in collection", c.errors > 0 ? <StatusIndicator type="error">{count(c.errors)}: see the log</StatusIndicator> : "0"],
          ]}
        />
      </SpaceBetween>
    </Container>
  );
}

function Progress({ upload }: { upload: Upload }) {
  if (upload.expectedBytes) {
    return (
      <ProgressBar
        ariaLabel={`Upload to ${upload.repositoryName}`}
        value={Math.min(100, (100 * upload.receivedBytes) / upload.expectedBytes)}
        additionalInfo={`${bytes(upload.receivedBytes)} of ${bytes(upload.expectedBytes)}`}
      />
    );
  }
  const text = `${bytes(upload.receivedBytes)} received; the client does not say how much there is`;
  return (
    <>
      {upload.isActive && <div className="flow" role="progressbar" aria-label={`Upload to ${upload.repositoryName}`} aria-valuetext={text} />}
      <span className="number">{text}</span>
    </>
  );
}

function Uploads({ items, hasMore, error, loading }: { items: readonly Upload[]; hasMore: boolean; error: unknown; loading: boolean }) {
  return (
    <DataTable
      title="Uploads in progress"
      counter={items.length ? `(${items.length}${hasMore ? "+" : ""})` : undefined}
      items={items}
      loading={loading}
      columns={[
        { id: "repository", header: "Repository", isRowHeader: true, minWidth: 150, cell: (u) => <Link href={href("repositories", u.repositoryName)}>{u.repositoryName}</Link> },
        { id: "progress", header: "Progress", minWidth: 260, cell: (u) => <Progress upload={u} /> },
        {
          id: "state",
          header: "State",
          minWidth: 130,
          cell: (u) => (u.isActive ? <StatusIndicator type="in-progress">Receiving</StatusIndicator> : <StatusIndicator type="pending">Paused</StatusIndicator>),
        },
        { id: "started", header: "Started", minWidth: 130, cell: (u) => ago(u.startedAt) },
        { id: "last", header: "Last bytes", minWidth: 130, cell: (u) => (u.lastActivityAt === undefined ? "-" : ago(u.lastActivityAt)) },
      ]}
      empty={error !== undefined ? <Failure error={error} /> : <Empty title="Nobody is uploading">A push shows here while its layers arrive.</Empty>}
    />
  );
}

function Requests({ s }: { s: ServerStatus }) {
  return (
    <DataTable
      title="Requests since the start"
      description="Half, nine tenths and 99 of a hundred requests took at most so long."
      items={s.requests}
      pageSize={20}
      defaultSort={{ column: "count", descending: true }}
      columns={[
        { id: "operation", header: "Operation", isRowHeader: true, minWidth: 190, sortingField: "operation", cell: (r) => r.operation },
        { id: "count", header: "Requests", minWidth: 100, sortingField: "count", cell: (r) => <span className="number">{count(r.count)}</span> },
        { id: "p50", header: "Half", minWidth: 80, sortingField: "p50Seconds", cell: (r) => latency(r.p50Seconds) },
        { id: "p90", header: "90%", minWidth: 80, sortingField: "p90Seconds", cell: (r) => latency(r.p90Seconds) },
        { id: "p99", header: "99%", minWidth: 80, sortingField: "p99Seconds", cell: (r) => latency(r.p99Seconds) },
        { id: "rejected", header: "Refused", minWidth: 90, sortingField: "rejected", cell: (r) => count(r.rejected) },
        {
          id: "failed",
          header: "Failed",
          minWidth: 90,
          sortingField: "failed",
          cell: (r) => (r.failed > 0 ? <StatusIndicator type="error">{count(r.failed)}</StatusIndicator> : "0"),
        },
      ]}
      empty={<Empty title="No requests yet" />}
    />
  );
}
