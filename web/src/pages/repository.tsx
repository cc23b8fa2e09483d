// One repository: a summary, and tabs for what is in it and what holds for it.

import Badge from "@cloudscape-design/components/badge";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tabs from "@cloudscape-design/components/tabs";
import { Suspense, useState, type ComponentType } from "react";
import { ecr, type Repository } from "../api/ecr";
import { berth, type RepositorySharing } from "../api/sharing";
import { usePage } from "../app/page";
import { go, href } from "../app/router";
import { useSession } from "../app/session";
import { bytes, time } from "../pure/format";
import { encryptionType, mutability, shortKey } from "../pure/words";
import { Copyable } from "../ui/copy";
import { useLoad } from "../ui/data";
import { Details } from "../ui/details";
import { Failure, Loading } from "../ui/feedback";
import { lazyPage } from "../ui/lazy";
import { SavedBar } from "../ui/saved";

export interface TabProps {
  repository: Repository;
  sums?: RepositorySharing;
  reload(): void;
}

const DeleteRepository = lazyPage(() => import("./delete-repository"));
const PushCommands = lazyPage(() => import("./push-commands"));
const EditMutability = lazyPage(() => import("./edit-mutability"));

const TABS: { id: string; label: string; Tab: ComponentType<TabProps> }[] = [
  { id: "images", label: "Images", Tab: lazyPage(() => import("./repository-images")) },
  { id: "sharing", label: "Sharing", Tab: lazyPage(() => import("./repository-sharing")) },
  { id: "permissions", label: "Permissions", Tab: lazyPage(() => import("./repository-permissions")) },
  { id: "lifecycle", label: "Lifecycle policy", Tab: lazyPage(() => import("./repository-lifecycle")) },
  { id: "history", label: "Tag history", Tab: lazyPage(() => import("./repository-history")) },
  { id: "tags", label: "Repository tags", Tab: lazyPage(() => import("./repository-tags")) },
];

export default function RepositoryPage({ name, tab }: { name: string; tab: string }) {
  const { client } = useSession();
  const [modal, setModal] = useState<"delete" | "push" | "mutability">();
  usePage(name, ["Private registry", "#/repositories"], ["Repositories", "#/repositories"]);

  const { data, error, reload } = useLoad(
    async (signal) => (await ecr(client, "DescribeRepositories", { repositoryNames: [name] }, signal)).repositories![0]!,
    [client, name],
  );
  const sums = useLoad(
    async (signal) => {
      const { repositories } = await berth(client, "ListRepositorySharing", { nameContains: name, maxResults: 1000 }, signal);
      return repositories.find((r) => r.repositoryName === name);
    },
    [client, name],
  );

  if (!data) return error === undefined ? <Loading /> : <Failure error={error} onRetry={reload} />;
  const s = sums.data;
  const exclusions = data.imageTagMutabilityExclusionFilters ?? [];
  const reloadAll = () => {
    reload();
    sums.reload();
  };
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button iconName="refresh" ariaLabel="Refresh" onClick={reloadAll} />
              <Button onClick={() => setModal("mutability")}>Edit tag mutability</Button>
              <Button onClick={() => setModal("delete")}>Delete</Button>
              <Button variant="primary" onClick={() => setModal("push")}>
                View push commands
              </Button>
            </SpaceBetween>
          }
        >
          {name}
        </Header>
      }
    >
      <SpaceBetween size="l">
        <Container>
          <SpaceBetween size="m">
            <Details
              items={[
                ["URI", <Copyable text={data.repositoryUri!} what="the URI" />],
                [
                  "Tag mutability",
                  <>
                    {mutability(data.imageTagMutability)}
                    {exclusions.map((f) => (
                      <span key={f.filter}>
                        {" "}
                        <Badge>{f.filter}</Badge>
                      </span>
                    ))}
                  </>,
                ],
                [
                  "Encryption",
                  data.encryptionConfiguration?.kmsKey ? (
                    <Copyable
                      text={data.encryptionConfiguration.kmsKey}
                      shown={`${encryptionType(data.encryptionConfiguration.encryptionType)} · ${shortKey(data.encryptionConfiguration.kmsKey)}`}
                      what="the key's ARN"
                    />
                  ) : (
                    encryptionType(data.encryptionConfiguration?.encryptionType)
                  ),
                ],
                ["Created at", time(data.createdAt)],
              ]}
            />
            {s && (
              <Details
                items={[
                  ["Size", bytes(s.logicalBytes)],
                  ["Stored here", bytes(s.storedBytes)],
                  ["Saved by sharing", bytes(s.savedBytes)],
                  ["Of the size", <SavedBar sums={s} />],
                ]}
              />
            )}
          </SpaceBetween>
        </Container>
        <Tabs
          ariaLabel={`Parts of ${name}`}
          activeTabId={tab}
          onChange={({ detail }) => go(href("repositories", name, detail.activeTabId))}
          tabs={TABS.map(({ id, label, Tab }) => ({
            id,
            label,
            content: (
              <Suspense fallback={<Loading />}>
                <Tab repository={data} sums={s} reload={reloadAll} />
              </Suspense>
            ),
          }))}
        />
      </SpaceBetween>
      <Suspense>
        {modal === "push" && <PushCommands name={name} onClose={() => setModal(undefined)} />}
        {modal === "mutability" && <EditMutability repository={data} onClose={() => setModal(undefined)} onDone={reload} />}
        {modal === "delete" && (
          <DeleteRepository
            repositories={[{ repositoryName: name, images: s?.images ?? 0 }]}
            onClose={() => setModal(undefined)}
            onDone={() => go("#/repositories")}
          />
        )}
      </Suspense>
    </ContentLayout>
  );
}
