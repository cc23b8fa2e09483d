// Berth's own operations: docs/sharing-api.md says what each means.

import { callJson, type Client } from "./client";
import type { EncryptionType, Mutability } from "./ecr";

/** Repositories share layers exactly when both members are equal. */
export interface PoolName {
  encryptionType: EncryptionType;
  kmsKey?: string;
}

export interface Sums {
  logicalBytes: number;
  storedBytes: number;
  savedBytes: number;
}

export interface Pool extends PoolName, Sums {
  encryptedBy: "berth" | "kms" | "disk" | "none";
  repositories: number;
  images: number;
  layers: number;
  links: number;
  waitingBytes: number;
}

export interface Summary extends Sums {
  registryId: string;
  region: string;
  blobMounting: "ENABLED" | "DISABLED";
  mountPolicy: "oci" | "ecr";
  repositories: number;
  images: number;
  layers: number;
  links: number;
  waitingBytes: number;
  pools: Pool[];
  morePools?: boolean;
}

export interface RepositorySums extends PoolName, Sums {
  repositoryName: string;
  images: number;
}

export interface RepositorySharing extends RepositorySums {
  repositoryArn: string;
  createdAt: number;
  imageTagMutability: Mutability;
}

export type RepositoryOrder = "NAME" | "LOGICAL_BYTES" | "STORED_BYTES" | "SAVED_BYTES" | "CREATED_AT";

export interface HistoryPoint extends Sums {
  at: number;
  repositories: number;
  images: number;
  layers: number;
  links: number;
}

export interface LayerSharing extends PoolName {
  layerDigest: string;
  layerSize: number;
  holders: number;
  logicalBytes: number;
  savedBytes: number;
  createdAt: number;
}

export type Origin = "UPLOADED" | "MOUNTED" | "CACHED" | "REPLICATED";

export interface LayerHolder extends PoolName {
  repositoryName: string;
  origin: Origin;
  sourceRepositoryName?: string;
  linkedAt: number;
  inUse: boolean;
}

export interface LayerDescription {
  layerDigest: string;
  layerSize: number;
  pools: (PoolName & { holders: number; savedBytes: number; createdAt: number })[];
  holders: LayerHolder[];
  nextToken?: string;
}

export interface RepositoryLayer {
  layerDigest: string;
  layerSize: number;
  origin: Origin;
  sourceRepositoryName?: string;
  linkedAt: number;
  inUse: boolean;
  holders?: number;
}

export interface ImageLayer {
  layerDigest: string;
  mediaType?: string;
  layerSize: number;
  kind: "CONFIG" | "LAYER";
  isHeld: boolean;
  origin?: Origin;
  sourceRepositoryName?: string;
  linkedAt?: number;
  holders?: number;
}

export interface IndexedManifest {
  imageDigest: string;
  mediaType?: string;
  size: number;
  artifactType?: string;
  platform?: { os?: string; architecture?: string; variant?: string; osVersion?: string };
}

export interface ImageLayers {
  registryId: string;
  repositoryName: string;
  imageId: { imageDigest: string; imageTag?: string };
  imageManifestMediaType: string;
  artifactMediaType?: string;
  subjectManifestDigest?: string;
  layers: ImageLayer[];
  manifests: IndexedManifest[];
  isPartial?: boolean;
}

export interface SharingPair {
  repositoryNames: [string, string];
  sharedBytes: number;
  sharedLayers: number;
}

export interface SharingPairs {
  repositories: RepositorySums[];
  pairs: SharingPair[];
  isPartial: boolean;
  layersExamined: number;
}

export type MountOutcome =
  | "mounted"
  | "present"
  | "off"
  | "other-registry"
  | "no-source"
  | "denied"
  | "not-held"
  | "other-pool"
  | "bad-digest"
  | "unreferenced"
  | "cached"
  | "not-found";

export interface MountEntry {
  at: number;
  repositoryName: string;
  sourceRepositoryName?: string;
  layerDigest: string;
  layerSize?: number;
  outcome: MountOutcome;
  reason: string;
  principal?: string;
}

export interface Estimate {
  startTime: number;
  endTime: number;
  blobMounting: "ENABLED" | "DISABLED";
  avoidableBytes: number;
  avoidableMounts: number;
  mountedBytes: number;
  mountedMounts: number;
  outcomes: { outcome: MountOutcome; mounts: number; bytes: number; avoidableMounts: number; avoidableBytes: number }[];
  days: { date: string; mounts: number; mountedBytes: number; avoidableBytes: number }[];
  repositories: { repositoryName: string; avoidableMounts: number; avoidableBytes: number }[];
  isPartial?: boolean;
}

export interface TagEvent {
  imageTag: string;
  at: number;
  action: "SET" | "REMOVED";
  imageDigest: string;
  previousImageDigest?: string;
  principal?: string;
}

export interface ServerStatus {
  version: string;
  startedAt: number;
  now: number;
  requests: {
    operation: string;
    count: number;
    failed: number;
    rejected: number;
    p50Seconds?: number;
    p90Seconds?: number;
    p99Seconds?: number;
  }[];
  requestsInAll: number;
  storage: { totalBytes: number; freeBytes: number; storedBytes: number; minFreeBytes: number };
  collection: { waitingBytes: number; candidates: number; trash: number; runs: number; errors: number; collectedBytes: number };
  uploads: { open: number; inProgress: number };
  connections: number;
  databaseQueue: number;
  memoryBytes: number;
}

export interface Upload {
  uploadId: string;
  repositoryName: string;
  receivedBytes: number;
  startedAt: number;
  lastActivityAt?: number;
  isActive: boolean;
  expectedBytes?: number;
}

interface Page {
  nextToken?: string;
  maxResults?: number;
}

type MaybePool = Partial<PoolName>;

interface Operations {
  GetSharingSummary: [{}, Summary];
  ListRepositorySharing: [Page & { sortBy?: RepositoryOrder; nameContains?: string }, { repositories: RepositorySharing[]; nextToken?: string }];
  GetSharingHistory: [MaybePool & { startTime?: number; endTime?: number; maxPoints?: number }, { points: HistoryPoint[] }];
  ListLayerSharing: [Page & MaybePool, { layers: LayerSharing[]; nextToken?: string }];
  DescribeLayer: [Page & { layerDigest: string }, LayerDescription];
  ListRepositoryLayers: [Page & { repositoryName: string }, { layers: RepositoryLayer[]; nextToken?: string }];
  DescribeImageLayers: [{ repositoryName: string; imageId: { imageDigest?: string; imageTag?: string } }, ImageLayers];
  ListSharingPairs: [{ repositoryName?: string; maxResults?: number }, SharingPairs];
  ListMountLog: [
    Page & { outcomes?: MountOutcome[]; repositoryName?: string; sourceRepositoryName?: string; startTime?: number; endTime?: number },
    { entries: MountEntry[]; nextToken?: string },
  ];
  EstimateMountSavings: [{ startTime?: number; endTime?: number; maxResults?: number }, Estimate];
  ListTagHistory: [Page & { repositoryName: string; imageTag?: string }, { events: TagEvent[]; nextToken?: string }];
  GetServerStatus: [{}, ServerStatus];
  ListUploads: [Page, { uploads: Upload[]; nextToken?: string }];
}

export function berth<K extends keyof Operations>(
  client: Client,
  operation: K,
  input: Operations[K][0],
  signal?: AbortSignal,
): Promise<Operations[K][1]> {
  return callJson(client, "ecr", "Berth_20261124", operation, input, signal) as Promise<Operations[K][1]>;
}
