// The registry's scanning configuration.

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Toggle from "@cloudscape-design/components/toggle";
import { useState } from "react";
import { ecr, type ScanningRule } from "../api/ecr";
import { useNotices } from "../app/notices";
import { useSession } from "../app/session";
import { useLoad } from "./data";
import { Details } from "./details";
import { Failure, Loading } from "./feedback";

const FREQUENCY: Record<string, string> = { SCAN_ON_PUSH: "On push", CONTINUOUS_SCAN: "Continuously", MANUAL: "By hand" };

function filters(rules: readonly ScanningRule[] | undefined): string[] {
  return (rules ?? []).filter((r) => r.scanFrequency === "SCAN_ON_PUSH").flatMap((r) => (r.repositoryFilters ?? []).map((f) => f.filter!));
}

export function ScanningCard() {
  const { client } = useSession();
  const notices = useNotices();
  const [draft, setDraft] = useState<{ onPush: boolean; filters: string }>();
  const [busy, setBusy] = useState(false);
  const { data, error, reload } = useLoad(async (signal) => (await ecr(client, "GetRegistryScanningConfiguration", {}, signal)).scanningConfiguration ?? {}, [client]);
  const onPush = filters(data?.rules);

  const save = async () => {
    if (!draft) return;
    setBusy(true);
    const list = draft.filters.split(/[\s,]+/).filter(Boolean);
    try {
      await ecr(client, "PutRegistryScanningConfiguration", {
        scanType: "BASIC",
        rules: draft.onPush ? [{ scanFrequency: "SCAN_ON_PUSH", repositoryFilters: list.map((filter) => ({ filter, filterType: "WILDCARD" as const })) }] : [],
      });
      notices.success("The scanning configuration is saved");
      setDraft(undefined);
      reload();
    } catch (e) {
      notices.failure(e, "The scanning configuration is not saved");
    }
    setBusy(false);
  };

  return (
    <Container
      header={
        <Header
          variant="h2"
          description="Which images are to be scanned for vulnerabilities. Berth keeps the configuration; it has no scanner of its own yet."
          actions={data && !draft && <Button onClick={() => setDraft({ onPush: onPush.length > 0, filters: onPush.join(", ") || "*" })}>Edit</Button>}
        >
          Scanning configuration
        </Header>
      }
    >
      {error !== undefined ? (
        <Failure error={error} onRetry={reload} />
      ) : !data ? (
        <Loading />
      ) : draft ? (
        <SpaceBetween size="m">
          <Toggle checked={draft.onPush} onChange={({ detail }) => setDraft({ ...draft, onPush: detail.checked })}>
            Scan on push
          </Toggle>
          {draft.onPush && (
            <FormField label="Repositories" description="Filters, separated by commas. Without * a filter matches every name that contains it." stretch>
              <Input value={draft.filters} onChange={({ detail }) => setDraft({ ...draft, filters: detail.value })} placeholder="prod*, *" />
            </FormField>
          )}
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="primary" loading={busy} disabled={draft.onPush && !draft.filters.trim()} onClick={() => void save()}>
              Save
            </Button>
            <Button variant="link" onClick={() => setDraft(undefined)}>
              Cancel
            </Button>
          </SpaceBetween>
        </SpaceBetween>
      ) : (
        <Details
          columns={2}
          items={[
            ["Type", data.scanType === "ENHANCED" ? "Enhanced" : "Basic"],
            [
              "Rules",
              data.rules?.length ? (
                data.rules.map((r) => (
                  <Box key={r.scanFrequency}>
                    {FREQUENCY[r.scanFrequency!] ?? r.scanFrequency}: <span className="mono">{(r.repositoryFilters ?? []).map((f) => f.filter).join(", ")}</span>
                  </Box>
                ))
              ) : (
                "None: images are scanned by hand."
              ),
            ],
          ]}
        />
      )}
    </Container>
  );
}
