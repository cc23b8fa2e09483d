// Starts a preview, waits for it, shows which images the rules would take.

import Alert from "@cloudscape-design/components/alert";
import Link from "@cloudscape-design/components/link";
import { ApiError } from "../api/client";
import { ecr, type PreviewResult } from "../api/ecr";
import { href } from "../app/router";
import { useSession } from "../app/session";
import { plural, shortDigest } from "../pure/format";
import { TagBadges } from "../pages/repository-images";
import { DataTable } from "./data-table";
import { useLoad } from "./data";
import { Empty, Failure, Loading } from "./feedback";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { When } from "./when";

/** At most so many images are listed; the summary counts all. */
const LISTED = 1000;

async function preview(client: ReturnType<typeof useSession>["client"], repositoryName: string, lifecyclePolicyText: string | undefined, signal: AbortSignal) {
  try {
    await ecr(client, "StartLifecyclePolicyPreview", { repositoryName, lifecyclePolicyText }, signal);
  } catch (e) {
    // One that somebody else started: wait for it, then start this one.
    if (!(e instanceof ApiError) || e.code !== "LifecyclePolicyPreviewInProgressException") throw e;
  }
  for (let wait = 150; ; wait = Math.min(2000, wait * 1.5)) {
    const answer = await ecr(client, "GetLifecyclePolicyPreview", { repositoryName, maxResults: 100 }, signal);
    if (answer.status === "FAILED" || answer.status === "EXPIRED") throw new Error("The preview did not finish. Start it again.");
    if (answer.status === "COMPLETE") {
      const results: PreviewResult[] = [...(answer.previewResults ?? [])];
      let nextToken = answer.nextToken;
      while (nextToken && results.length < LISTED) {
        const more = await ecr(client, "GetLifecyclePolicyPreview", { repositoryName, maxResults: 100, nextToken }, signal);
        results.push(...(more.previewResults ?? []));
        nextToken = more.nextToken;
      }
      return { summary: answer.summary, results, isCut: Boolean(nextToken) };
    }
    await new Promise((done) => setTimeout(done, wait));
    signal.throwIfAborted();
  }
}

export function LifecyclePreview({ repositoryName, text }: { repositoryName: string; text?: string }) {
  const { client } = useSession();
  const { data, error, reload } = useLoad((signal) => preview(client, repositoryName, text, signal), []);
  if (error !== undefined) return <Failure error={error} onRetry={reload} />;
  if (!data) return <Loading text="Looking through the images" />;
  const expiring = data.summary?.expiringImageTotalCount ?? data.results.filter((r) => r.action?.type === "EXPIRE").length;
  const archiving = (data.summary?.transitioningImageTotalCounts ?? []).reduce((n, c) => n + (c.imageTotalCount ?? 0), 0);
  const words = [expiring > 0 && `delete ${plural(expiring, "image")}`, archiving > 0 && `archive ${plural(archiving, "image")}`].filter(Boolean).join(" and ");
  return (
    <SpaceBetween size="m">
      <div role="status">
        <Alert type={words ? "warning" : "success"} header={words ? `The rules would ${words} now` : "The rules would take no image now"}>
          {words ? "This is only a preview: nothing has changed." : "Every image stays."}
        </Alert>
      </div>
      {words && (
        <DataTable
          title="Images that the rules would take"
          description={data.isCut ? `The first ${LISTED}.` : undefined}
          items={data.results}
          columns={[
            {
              id: "tags",
              header: "Image",
              isRowHeader: true,
              minWidth: 160,
              cell: (r) => (
                <Link href={href("repositories", repositoryName, "images", r.imageDigest!)}>
                  <TagBadges tags={r.imageTags} />
                </Link>
              ),
            },
            { id: "digest", header: "Digest", minWidth: 180, cell: (r) => <span className="mono">{shortDigest(r.imageDigest!)}</span> },
            { id: "pushed", header: "Pushed at", minWidth: 150, sortingField: "imagePushedAt", cell: (r) => <When at={r.imagePushedAt} /> },
            { id: "rule", header: "By rule", minWidth: 80, sortingField: "appliedRulePriority", cell: (r) => r.appliedRulePriority },
            { id: "action", header: "What happens", minWidth: 120, cell: (r) => (r.action?.type === "TRANSITION" ? "Archived" : "Deleted") },
          ]}
          empty={<Empty title="None" />}
        />
      )}
    </SpaceBetween>
  );
}
