// One image: what it is made of, where each layer came from, what refers to it, where its tags have been.

import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tabs from "@cloudscape-design/components/tabs";
import { useState } from "react";
import { ecr, type ImageDetail, type Referrer } from "../api/ecr";
import { berth, type ImageLayer, type ImageLayers, type IndexedManifest, type TagEvent } from "../api/sharing";
import { useNotices } from "../app/notices";
import { usePage } from "../app/page";
import { go, href } from "../app/router";
import { useSession } from "../app/session";
import { bytes, plural, shortDigest, time } from "../pure/format";
import { artifact, layerKind } from "../pure/words";
import { Confirm } from "../ui/confirm";
import { CopyButton, Copyable } from "../ui/copy";
import { DataTable } from "../ui/data-table";
import { useLoad } from "../ui/data";
import { Details } from "../ui/details";
import { Empty, Failure, Loading } from "../ui/feedback";
import { OriginText } from "../ui/origin";
import { PolicyText } from "../ui/policy-editor";
import { historyColumns } from "./repository-history";
import { deleteImages, ImageStatus, TagBadges, typeOf } from "./repository-images";
import { Others } from "./repository-sharing";
import { When } from "../ui/when";

interface Props {
  repository: string;
  digest: string;
}

export default function ImagePage({ repository, digest }: Props) {
  const { client } = useSession();
  const notices = useNotices();
  const [modal, setModal] = useState<"delete" | "archive" | "restore">();
  const imageId = { imageDigest: digest };
  usePage(shortDigest(digest), ["Repositories", "#/repositories"], [repository, href("repositories", repository)]);

  const image = useLoad(
    async (signal) => {
      const answer = await ecr(client, "DescribeImages", { repositoryName: repository, imageIds: [imageId], filter: { imageStatus: "ANY" } }, signal);
      return answer.imageDetails![0]!;
    },
    [client, repository, digest],
  );
  const layers = useLoad((signal) => berth(client, "DescribeImageLayers", { repositoryName: repository, imageId }, signal), [client, repository, digest]);
  const uri = useLoad(
    async (signal) => (await ecr(client, "DescribeRepositories", { repositoryNames: [repository] }, signal)).repositories![0]!.repositoryUri!,
    [client, repository],
  );

  const data = image.data;
  if (!data) return image.error === undefined ? <Loading /> : <Failure error={image.error} onRetry={image.reload} />;
  const isIndex = (layers.data?.manifests.length ?? 0) > 0 || artifact(data.imageManifestMediaType) === "Image index";
  const isArchived = data.imageStatus === "ARCHIVED";

  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button onClick={() => setModal(isArchived ? "restore" : "archive")} disabled={data.imageStatus === "ACTIVATING"}>
                {isArchived ? "Restore" : "Archive"}
              </Button>
              <Button onClick={() => setModal("delete")}>Delete</Button>
            </SpaceBetween>
          }
        >
          {data.imageTags?.[0] ? `${repository}:${data.imageTags[0]}` : `${repository}, ${shortDigest(digest)}`}
        </Header>
      }
    >
      <SpaceBetween size="l">
        <Container header={<Header variant="h2">Details</Header>}>
          <SpaceBetween size="m">
            <Details
              items={[
                ["Image tags", <TagBadges tags={data.imageTags} most={20} />],
                ["Type", <span title={data.artifactMediaType ?? data.imageManifestMediaType}>{typeOf(data)}</span>],
                ["Size", bytes(data.imageSizeInBytes ?? 0)],
                ["Status", <ImageStatus status={data.imageStatus} />],
                ["Pushed at", time(data.imagePushedAt)],
                ["Last pulled", time(data.lastRecordedPullTime)],
                ["Media type", <span className="mono">{data.imageManifestMediaType}</span>],
                [
                  "Refers to",
                  data.subjectManifestDigest ? (
                    <Link href={href("repositories", repository, "images", data.subjectManifestDigest)}>
                      <span className="mono">{shortDigest(data.subjectManifestDigest)}</span>
                    </Link>
                  ) : (
                    "-"
                  ),
                ],
              ]}
            />
            <Details
              columns={1}
              items={[
                ["Digest", <Copyable text={digest} what="the digest" />],
                ["URI", uri.data ? <Copyable text={data.imageTags?.[0] ? `${uri.data}:${data.imageTags[0]}` : `${uri.data}@${digest}`} what="the URI" /> : "-"],
              ]}
            />
          </SpaceBetween>
        </Container>
        <Tabs
          ariaLabel="Parts of the image"
          tabs={[
            ...(isIndex ? [{ id: "platforms", label: "Platforms", content: <Platforms repository={repository} loaded={layers} /> }] : []),
            ...(isIndex ? [] : [{ id: "layers", label: "Layers", content: <Layers loaded={layers} /> }]),
            { id: "referrers", label: "Referrers", content: <Referrers repository={repository} digest={digest} /> },
            { id: "manifest", label: "Manifest", content: <Manifest repository={repository} image={data} /> },
            { id: "history", label: "Tag history", content: <History repository={repository} tags={data.imageTags ?? []} /> },
          ]}
        />
      </SpaceBetween>
      {modal === "delete" && (
        <Confirm
          header="Delete the image"
          word="delete"
          button="Delete"
          onClose={() => setModal(undefined)}
          onConfirm={async () => {
            const failures = await deleteImages(client, repository, [digest]);
            if (failures.length) throw new Error(failures.join(" "));
            notices.success("The image is deleted");
            go(href("repositories", repository));
          }}
        >
          {goesToo(data.imageTags ?? [])}
          Layers that other images or repositories use stay.
        </Confirm>
      )}
      {(modal === "archive" || modal === "restore") && (
        <Confirm
          header={modal === "archive" ? "Archive the image" : "Restore the image"}
          button={modal === "archive" ? "Archive" : "Restore"}
          onClose={() => setModal(undefined)}
          onConfirm={async () => {
            await ecr(client, "UpdateImageStorageClass", {
              repositoryName: repository,
              imageId,
              targetStorageClass: modal === "archive" ? "ARCHIVE" : "STANDARD",
            });
            notices.success(modal === "archive" ? "The image is archived" : "The image is being restored");
            image.reload();
          }}
        >
          {modal === "archive" ? "It stays listed, but cannot be pulled until it is restored." : "It can be pulled again when its status is Active."}
        </Confirm>
      )}
    </ContentLayout>
  );
}

type LoadedLayers = ReturnType<typeof useLoad<ImageLayers>>;

function platform(m: IndexedManifest): string {
  const p = m.platform;
  if (!p?.os && !p?.architecture) return m.artifactType ? artifact(m.artifactType) : "-";
  return `${[p.os, p.architecture, p.variant].filter(Boolean).join("/")}${p.osVersion ? ` (${p.osVersion})` : ""}`;
}

function Platforms({ repository, loaded }: { repository: string; loaded: LoadedLayers }) {
  return (
    <DataTable
      title="Platforms"
      description="The images of this index, one a platform."
      items={loaded.data?.manifests ?? []}
      loading={loaded.isLoading && !loaded.data}
      columns={[
        { id: "platform", header: "Platform", isRowHeader: true, minWidth: 140, cell: platform },
        {
          id: "digest",
          header: "Image",
          minWidth: 200,
          cell: (m) => (
            <Link href={href("repositories", repository, "images", m.imageDigest)}>
              <span className="mono">{shortDigest(m.imageDigest)}</span>
            </Link>
          ),
        },
        { id: "type", header: "Type", minWidth: 120, cell: (m) => <span title={m.mediaType}>{artifact(m.artifactType ?? m.mediaType)}</span> },
        { id: "size", header: "Size of the manifest", minWidth: 140, cell: (m) => bytes(m.size) },
      ]}
      empty={loaded.error !== undefined ? <Failure error={loaded.error} onRetry={loaded.reload} /> : <Empty title="The index is empty" />}
    />
  );
}

function Layers({ loaded }: { loaded: LoadedLayers }) {
  const items = loaded.data?.layers ?? [];
  const mounted = items.filter((l) => l.origin === "MOUNTED");
  const saved = mounted.reduce((n, l) => n + l.layerSize, 0);
  return (
    <DataTable<ImageLayer>
      title="Layers"
      description={
        mounted.length > 0
          ? `${plural(mounted.length, "of them was", "of them were")} mounted from other repositories: ${bytes(saved)} did not have to be pushed.`
          : "In the order of the manifest, the configuration first."
      }
      items={items}
      pageSize={100}
      loading={loaded.isLoading && !loaded.data}
      columns={[
        {
          id: "digest",
          header: "Layer",
          isRowHeader: true,
          minWidth: 200,
          cell: (l) =>
            l.isHeld ? (
              <Link href={href("layers", l.layerDigest)}>
                <span className="mono">{shortDigest(l.layerDigest)}</span>
              </Link>
            ) : (
              <span className="mono">{shortDigest(l.layerDigest)}</span>
            ),
        },
        { id: "kind", header: "What it is", minWidth: 120, cell: (l) => <span title={l.mediaType}>{layerKind(l.mediaType, l.kind)}</span> },
        { id: "size", header: "Size", minWidth: 90, cell: (l) => <span className="number">{bytes(l.layerSize)}</span> },
        {
          id: "origin",
          header: "Where it came from",
          minWidth: 220,
          cell: (l) => (l.isHeld ? <OriginText origin={l.origin} source={l.sourceRepositoryName} /> : "Foreign layer, kept elsewhere"),
        },
        { id: "also", header: "Who else uses it", minWidth: 160, cell: (l) => (l.isHeld ? <Others holders={l.holders} digest={l.layerDigest} /> : "-") },
        { id: "since", header: "Since", minWidth: 150, cell: (l) => <When at={l.linkedAt} /> },
      ]}
      empty={loaded.error !== undefined ? <Failure error={loaded.error} onRetry={loaded.reload} /> : <Empty title="The image has no layers" />}
    />
  );
}

function Referrers({ repository, digest }: Props) {
  const { client } = useSession();
  const { data, error, isLoading, reload } = useLoad(
    async (signal) => {
      const found: Referrer[] = [];
      let nextToken: string | undefined;
      do {
        const answer = await ecr(
          client,
          "ListImageReferrers",
          { repositoryName: repository, subjectId: { imageDigest: digest }, maxResults: 50, nextToken },
          signal,
        );
        found.push(...(answer.referrers ?? []));
        nextToken = answer.nextToken;
      } while (nextToken && found.length < 1000);
      return found;
    },
    [client, repository, digest],
  );
  return (
    <DataTable
      title="Referrers"
      description="Signatures, SBOMs and other artifacts that were attached to this image."
      items={data ?? []}
      loading={isLoading && !data}
      columns={[
        {
          id: "digest",
          header: "Artifact",
          isRowHeader: true,
          minWidth: 200,
          cell: (r) => (
            <Link href={href("repositories", repository, "images", r.digest!)}>
              <span className="mono">{shortDigest(r.digest!)}</span>
            </Link>
          ),
        },
        { id: "type", header: "Type", minWidth: 160, cell: (r) => <span title={r.artifactType}>{artifact(r.artifactType ?? r.mediaType)}</span> },
        { id: "size", header: "Size", minWidth: 90, cell: (r) => bytes(r.size ?? 0) },
        {
          id: "annotations",
          header: "Annotations",
          minWidth: 240,
          cell: (r) => Object.entries(r.annotations ?? {}).map(([k, v]) => <div key={k}>{`${k.split(".").pop()}: ${v}`}</div>),
        },
      ]}
      empty={
        error !== undefined ? (
          <Failure error={error} onRetry={reload} />
        ) : (
          <Empty title="Nothing refers to this image">
            Attach something, for example with <code>oras attach</code> or <code>cosign sign</code>.
          </Empty>
        )
      }
    />
  );
}

function goesToo(tags: readonly string[]): string {
  if (tags.length === 0) return "";
  if (tags.length === 1) return `Its tag ${tags[0]} goes too. `;
  return `Its ${plural(tags.length, "tag")} (${tags.slice(0, 5).join(", ")}${tags.length > 5 ? ", …" : ""}) go too. `;
}

function Manifest({ repository, image }: { repository: string; image: ImageDetail }) {
  const { client } = useSession();
  const { data, error, reload } = useLoad(
    async (signal) => {
      const answer = await ecr(
        client,
        "BatchGetImage",
        { repositoryName: repository, imageIds: [{ imageDigest: image.imageDigest }], acceptedMediaTypes: [image.imageManifestMediaType!] },
        signal,
      );
      const manifest = answer.images?.[0]?.imageManifest;
      if (manifest === undefined) throw new Error(answer.failures?.[0]?.failureReason ?? "The manifest cannot be read.");
      return manifest;
    },
    [client, repository, image.imageDigest],
  );
  return (
    <Container
      header={
        <Header variant="h2" description="Indented for reading; Copy gives the exact bytes. Reading it counts as a pull, as with aws ecr batch-get-image." actions={data && <CopyButton text={data} what="the manifest" />}>
          Manifest
        </Header>
      }
    >
      {error !== undefined ? <Failure error={error} onRetry={reload} /> : data === undefined ? <Loading /> : <PolicyText text={data} label="Manifest" />}
    </Container>
  );
}

function History({ repository, tags }: { repository: string; tags: readonly string[] }) {
  const { client } = useSession();
  const { data, error, isLoading, reload } = useLoad(
    async (signal) => {
      const events: TagEvent[] = [];
      for (const imageTag of tags.slice(0, 10)) {
        events.push(...(await berth(client, "ListTagHistory", { repositoryName: repository, imageTag, maxResults: 100 }, signal)).events);
      }
      return events.sort((a, b) => b.at - a.at);
    },
    [client, repository, tags.join(" ")],
  );
  return (
    <DataTable
      title="Tag history"
      description="Where the tags of this image have pointed."
      items={data ?? []}
      loading={isLoading && !data}
      columns={historyColumns(repository)}
      empty={error !== undefined ? <Failure error={error} onRetry={reload} /> : <Empty title={tags.length ? "Nothing is known yet" : "The image has no tag"} />}
    />
  );
}
