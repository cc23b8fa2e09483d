import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Container from "@cloudscape-design/components/container";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import { ecr } from "../api/ecr";
import { useNotices } from "../app/notices";
import { useSession } from "../app/session";
import { useLoad } from "../ui/data";
import { Empty, Failure } from "../ui/feedback";
import { TagFields, tagProblem, toRows, toTags, type TagRow } from "../ui/tag-fields";
import type { TabProps } from "./repository";

export default function RepositoryTags({ repository }: TabProps) {
  const { client } = useSession();
  const notices = useNotices();
  const [rows, setRows] = useState<TagRow[]>();
  const [busy, setBusy] = useState(false);
  const resourceArn = repository.repositoryArn!;
  const { data, error, isLoading, reload } = useLoad(
    async (signal) => toRows((await ecr(client, "ListTagsForResource", { resourceArn }, signal)).tags),
    [client, resourceArn],
  );

  const save = async () => {
    if (!rows) return;
    setBusy(true);
    try {
      const gone = (data ?? []).filter((old) => !rows.some((r) => r.key === old.key)).map((r) => r.key);
      if (gone.length) await ecr(client, "UntagResource", { resourceArn, tagKeys: gone });
      const changed = rows.filter((r) => !data?.some((old) => old.key === r.key && old.value === r.value));
      if (changed.length) await ecr(client, "TagResource", { resourceArn, tags: toTags(changed) });
      notices.success("The repository's tags are saved");
      setRows(undefined);
      reload();
    } catch (e) {
      notices.failure(e, "The tags are not saved");
    }
    setBusy(false);
  };

  if (rows) {
    const problem = tagProblem(rows);
    return (
      <Container header={<Header variant="h2">Edit the repository&apos;s tags</Header>}>
        <SpaceBetween size="m">
          <TagFields rows={rows} onChange={setRows} />
          {problem && <Box color="text-status-error">{problem}</Box>}
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="primary" disabled={Boolean(problem)} loading={busy} onClick={() => void save()}>
              Save
            </Button>
            <Button variant="link" onClick={() => setRows(undefined)}>
              Cancel
            </Button>
          </SpaceBetween>
        </SpaceBetween>
      </Container>
    );
  }
  return (
    <Table
      items={data ?? []}
      loading={isLoading && !data}
      loadingText="Loading"
      columnDefinitions={[
        { id: "key", header: "Key", isRowHeader: true, cell: (r) => r.key },
        { id: "value", header: "Value", cell: (r) => r.value || "-" },
      ]}
      header={
        <Header
          counter={data && `(${data.length})`}
          description="Keys and values that describe the repository. Image tags are on the tab Images."
          actions={
            <Button disabled={!data} onClick={() => setRows(data?.length ? data : [{ key: "", value: "" }])}>
              Manage tags
            </Button>
          }
        >
          Repository tags
        </Header>
      }
      empty={error !== undefined ? <Failure error={error} onRetry={reload} /> : <Empty title="No tags">Policies and reports can select repositories by them.</Empty>}
    />
  );
}
