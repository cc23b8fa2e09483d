// What would enabling blob mounting save? From the mounts that clients asked for while it was off.

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
import { berth } from "../api/sharing";
import { usePage } from "../app/page";
import { href } from "../app/router";
import { useSession } from "../app/session";
import { bytes, count, plural } from "../pure/format";
import { OUTCOMES } from "../pure/words";
import { everyDay } from "../pure/savings";
import { BarList, DayBars } from "../ui/charts";
import { DataTable } from "../ui/data-table";
import { useLoad } from "../ui/data";
import { Empty, Failure, Loading } from "../ui/feedback";
import { Outcome } from "./sharing-mounts";

export default function EstimatePage() {
  const { client } = useSession();
  const [days, setDays] = useState("30");
  usePage("What would enabling save?", ["Sharing", "#/sharing"]);
  const { data, error, reload } = useLoad(
    (signal) => berth(client, "EstimateMountSavings", { startTime: Math.floor(Date.now() / 1000) - Number(days) * 86_400, maxResults: 20 }, signal),
    [client, days],
  );
  const isOff = data?.blobMounting === "DISABLED";
  const asked = data?.outcomes.reduce((n, o) => n + o.mounts, 0) ?? 0;
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          description="Bytes that were pushed although the registry had them, and that a mount would have avoided. Counted from the mounts that clients asked for."
          actions={
            <SegmentedControl
              label="How far back"
              selectedId={days}
              onChange={({ detail }) => setDays(detail.selectedId)}
              options={[
                { id: "7", text: "Week" },
                { id: "30", text: "Month" },
                { id: "365", text: "Year" },
              ]}
            />
          }
        >
          What would enabling save?
        </Header>
      }
    >
      {error !== undefined ? (
        <Failure error={error} onRetry={reload} />
      ) : !data ? (
        <Loading />
      ) : (
        <SpaceBetween size="l">
          <Container>
            <SpaceBetween size="s">
              <Box fontSize="display-l" fontWeight="bold">
                <span className="number">{bytes(data.avoidableBytes)}</span>
              </Box>
              <Box variant="p">
                {data.avoidableBytes > 0
                  ? `were pushed again in ${plural(data.avoidableMounts, "layer")} that the registry had already, in the same pool and readable for the caller. With blob mounting on, they would have been shared.`
                  : asked === 0
                    ? "No client has asked for a mount in this time."
                    : "could have been avoided: what clients asked for was mounted, or could not be."}
              </Box>
              {data.mountedBytes > 0 && (
                <Box variant="p">
                  {bytes(data.mountedBytes)} in {plural(data.mountedMounts, "layer")} were mounted, and did not have to be pushed.
                </Box>
              )}
              {isOff ? (
                <Button variant="primary" href="#/settings">
                  Enable blob mounting
                </Button>
              ) : (
                <Box color="text-status-success">Blob mounting is on in this registry.</Box>
              )}
            </SpaceBetween>
          </Container>
          {asked === 0 ? (
            <Container>
              <Empty title="There is nothing to count yet">
                Push an image that is built on one of this registry, for example with <code>docker push</code>: its client asks for the layers that it knows to be here.
              </Empty>
            </Container>
          ) : (
            <>
              <Container header={<Header variant="h2">{data.avoidableBytes > 0 ? "Pushed again, day by day" : "Mounted, day by day"}</Header>}>
                <DayBars
                  tone={data.avoidableBytes > 0 ? "avoidable" : "mounted"}
                  label={data.avoidableBytes > 0 ? "Avoidable bytes a day" : "Mounted bytes a day"}
                  days={everyDay(data.days, data.startTime, data.endTime).map((d) => ({ date: d.date, bytes: data.avoidableBytes > 0 ? d.avoidableBytes : d.mountedBytes }))}
                />
                <ExpandableSection headerText="As a table">
                  <DataTable
                    title="Days"
                    level="h3"
                    variant="embedded"
                    items={[...data.days].reverse()}
                    columns={[
                      { id: "date", header: "Day", isRowHeader: true, cell: (d) => d.date },
                      { id: "mounts", header: "Mounts asked for", cell: (d) => count(d.mounts) },
                      { id: "mounted", header: "Mounted", cell: (d) => bytes(d.mountedBytes) },
                      { id: "avoidable", header: "Pushed again", cell: (d) => bytes(d.avoidableBytes) },
                    ]}
                    empty={<Empty title="None" />}
                  />
                </ExpandableSection>
              </Container>
              {data.repositories.length > 0 && data.avoidableBytes > 0 && (
                <Container header={<Header variant="h2">Repositories that would gain most</Header>}>
                  <BarList
                    tone="avoidable"
                    label="Avoidable bytes of each repository"
                    items={data.repositories.map((r) => ({
                      key: r.repositoryName,
                      name: <Link href={href("repositories", r.repositoryName, "sharing")}>{r.repositoryName}</Link>,
                      value: r.avoidableBytes,
                      words: `${bytes(r.avoidableBytes)} in ${plural(r.avoidableMounts, "layer")}`,
                    }))}
                  />
                  {data.isPartial && <Box color="text-body-secondary">There are so many repositories that this list may miss some; the sums miss none.</Box>}
                </Container>
              )}
              <DataTable
                title="What became of the mounts"
                actions={<Button href="#/sharing/mounts">Mount log</Button>}
                items={data.outcomes}
                columns={[
                  { id: "outcome", header: "Outcome", isRowHeader: true, minWidth: 170, cell: (o) => <Outcome outcome={o.outcome} /> },
                  { id: "mounts", header: "Mounts", cell: (o) => count(o.mounts) },
                  { id: "bytes", header: "Bytes", cell: (o) => bytes(o.bytes) },
                  { id: "avoidable", header: "Avoidable", cell: (o) => bytes(o.avoidableBytes) },
                  { id: "why", header: "What it means", minWidth: 280, cell: (o) => <div className="wrapped">{OUTCOMES[o.outcome]?.what}</div> },
                ]}
                empty={<Empty title="None" />}
              />
            </>
          )}
        </SpaceBetween>
      )}
    </ContentLayout>
  );
}
