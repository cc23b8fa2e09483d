// The mount log: what each mount came to, and why.

import Button from "@cloudscape-design/components/button";
import ContentLayout from "@cloudscape-design/components/content-layout";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Link from "@cloudscape-design/components/link";
import Multiselect from "@cloudscape-design/components/multiselect";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useState } from "react";
import { berth, type MountEntry, type MountOutcome } from "../api/sharing";
import { usePage } from "../app/page";
import { href } from "../app/router";
import { useSession } from "../app/session";
import { bytes, shortDigest } from "../pure/format";
import { OUTCOMES } from "../pure/words";
import { useEvery, usePages, useSettled } from "../ui/data";
import { Empty } from "../ui/feedback";
import { PagedTable } from "../ui/paged-table";
import { When } from "../ui/when";

const TONES = { success: "success", info: "info", warning: "warning", error: "error", stopped: "stopped" } as const;

export function Outcome({ outcome }: { outcome: MountOutcome }) {
  const words = OUTCOMES[outcome];
  return <StatusIndicator type={words ? TONES[words.tone] : "info"}>{words?.label ?? outcome}</StatusIndicator>;
}

const OPTIONS = (Object.keys(OUTCOMES) as MountOutcome[]).map((value) => ({ value, label: OUTCOMES[value].label }));

export default function MountLog({ query }: { query: URLSearchParams }) {
  const { client } = useSession();
  const [outcomes, setOutcomes] = useState<MountOutcome[]>([]);
  const [target, setTarget] = useState(query.get("repository") ?? "");
  const [source, setSource] = useState("");
  const repositoryName = useSettled(target.trim()) || undefined;
  const sourceRepositoryName = useSettled(source.trim()) || undefined;
  usePage("Mount log", ["Sharing", "#/sharing"]);
  const isFiltered = Boolean(outcomes.length || repositoryName || sourceRepositoryName);
  const pages = usePages(
    async (nextToken, signal) => {
      const answer = await berth(
        client,
        "ListMountLog",
        { outcomes: outcomes.length ? outcomes : undefined, repositoryName, sourceRepositoryName, maxResults: 50, nextToken },
        signal,
      );
      return { items: answer.entries, nextToken: answer.nextToken };
    },
    [outcomes.join(), repositoryName, sourceRepositoryName],
  );
  useEvery(5000, () => pages.index === 1 && pages.error === undefined && pages.reload());
  return (
    <ContentLayout header={<Header variant="h1">Mount log</Header>}>
      <PagedTable<MountEntry>
        title="Mounts"
        description="Whenever a client asked for a layer of another repository: what came of it. Whatever the outcome, the push went on. The newest 100,000 are kept."
        actions={<Button iconName="refresh" ariaLabel="Refresh" onClick={pages.reload} />}
        pages={pages}
        ariaLabels={{ tableLabel: "Mount log" }}
        filter={
          <div className="filters">
            <FormField label="Outcome">
              <Multiselect
                selectedOptions={OPTIONS.filter((o) => outcomes.includes(o.value))}
                options={OPTIONS}
                onChange={({ detail }) => setOutcomes(detail.selectedOptions.map((o) => o.value as MountOutcome))}
                placeholder="Any"
                hideTokens={outcomes.length > 2}
              />
            </FormField>
            <FormField label="Pushed to">
              <Input value={target} onChange={({ detail }) => setTarget(detail.value)} placeholder="Any repository" type="search" clearAriaLabel="Clear" spellcheck={false} />
            </FormField>
            <FormField label="Mounted from">
              <Input value={source} onChange={({ detail }) => setSource(detail.value)} placeholder="Any repository" type="search" clearAriaLabel="Clear" spellcheck={false} />
            </FormField>
          </div>
        }
        columnDefinitions={[
          { id: "at", header: "When", minWidth: 150, cell: (e) => <When at={e.at} /> },
          { id: "outcome", header: "Outcome", minWidth: 180, isRowHeader: true, cell: (e) => <Outcome outcome={e.outcome} /> },
          {
            id: "to",
            header: "Pushed to",
            minWidth: 130,
            cell: (e) => <Link href={href("repositories", e.repositoryName)}>{e.repositoryName}</Link>,
          },
          {
            id: "from",
            header: "Mounted from",
            minWidth: 130,
            cell: (e) => (e.sourceRepositoryName ? <Link href={href("repositories", e.sourceRepositoryName)}>{e.sourceRepositoryName}</Link> : "-"),
          },
          { id: "size", header: "Size", minWidth: 100, cell: (e) => (e.layerSize === undefined ? "-" : <span className="number">{bytes(e.layerSize)}</span>) },
          { id: "why", header: "Why", minWidth: 300, cell: (e) => <div className="wrapped">{OUTCOMES[e.outcome]?.what ?? e.reason}</div> },
          { id: "layer", header: "Layer", minWidth: 160, cell: (e) => <span className="mono">{shortDigest(e.layerDigest)}</span> },
          { id: "who", header: "By", minWidth: 120, cell: (e) => e.principal?.split(":").pop() ?? "-" },
        ]}
        empty={
          isFiltered ? (
            <Empty
              title="No mount fits these filters"
              action={
                <Button
                  onClick={() => {
                    setOutcomes([]);
                    setTarget("");
                    setSource("");
                  }}
                >
                  Clear the filters
                </Button>
              }
            />
          ) : (
            <Empty title="No client has asked for a mount yet">
              Clients do so by themselves when they know that another repository of this registry has a layer: push an image that you pulled from here, or
              copy one with <code>skopeo copy</code> from one repository to another.
            </Empty>
          )
        }
      />
    </ContentLayout>
  );
}
