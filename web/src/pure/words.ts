// What codes mean, in words.

import type { MountOutcome, Origin, PoolName } from "../api/sharing";

export interface OutcomeWords {
  label: string;
  tone: "success" | "info" | "warning" | "error" | "stopped";
  what: string;
}

export const OUTCOMES: Record<MountOutcome, OutcomeWords> = {
  mounted: { label: "Mounted", tone: "success", what: "The layer was shared. Nothing had to be pushed again." },
  present: { label: "Already there", tone: "success", what: "The repository held the layer already. Nothing had to be pushed." },
  off: { label: "Mounting is off", tone: "warning", what: "Blob mounting is disabled in this registry, so the client pushed the layer again." },
  "other-pool": {
    label: "Different encryption",
    tone: "warning",
    what: "The two repositories have different encryption configurations. Layers are only shared when type and key are the same.",
  },
  denied: { label: "Not allowed to read the source", tone: "error", what: "The caller has no permission ecr:GetDownloadUrlForLayer on the source repository." },
  "not-held": { label: "Source has no such layer", tone: "info", what: "The source repository does not hold the layer, so the client pushed it." },
  "no-source": { label: "No such source repository", tone: "info", what: "The source repository that the client named does not exist." },
  "other-registry": { label: "Other registry", tone: "info", what: "The source is in another account or Region. Layers are shared within one registry." },
  "not-found": { label: "No repository to mount from", tone: "info", what: "No repository that the caller may read holds the layer yet: it is new, and was pushed." },
  unreferenced: {
    label: "Not part of an image yet",
    tone: "info",
    what: "No image in the source repository uses the layer yet, and the mount policy is that of Amazon ECR.",
  },
  cached: { label: "From a pull through cache", tone: "info", what: "Layers that came by a pull through cache are not mounted." },
  "bad-digest": { label: "Malformed digest", tone: "error", what: "The client asked for something that is no digest." },
};

export function origin(o: Origin | undefined, source?: string): string {
  switch (o) {
    case "UPLOADED":
      return "Uploaded here";
    case "MOUNTED":
      return source ? `Mounted from ${source}` : "Mounted from another repository";
    case "CACHED":
      return "Pulled through from upstream";
    case "REPLICATED":
      return "Replicated";
    default:
      return "Kept elsewhere";
  }
}

/** "AES-256", "AWS KMS", "AWS KMS, two layers (DSSE)" */
export function encryptionType(type: string | undefined): string {
  return type === "KMS" ? "AWS KMS" : type === "KMS_DSSE" ? "AWS KMS (DSSE)" : "AES-256";
}

/** "arn:aws:kms:eu-west-1:1:key/0123abcd-..." -> "0123abcd…" */
export function shortKey(arn: string | undefined): string {
  if (!arn) return "";
  const id = arn.split("/").pop() ?? arn;
  return id.length > 12 ? `${id.slice(0, 8)}…` : id;
}

export function poolLabel(pool: PoolName): string {
  return pool.kmsKey ? `${encryptionType(pool.encryptionType)} · key ${shortKey(pool.kmsKey)}` : encryptionType(pool.encryptionType);
}

export function poolId(pool: PoolName): string {
  return `${pool.encryptionType} ${pool.kmsKey ?? ""}`;
}

/** Why repositories of the two cannot share a layer. */
export function whyApart(a: PoolName, b: PoolName): string {
  if (a.encryptionType !== b.encryptionType) {
    return `Different encryption types: ${encryptionType(a.encryptionType)} and ${encryptionType(b.encryptionType)}.`;
  }
  return `The same encryption type (${encryptionType(a.encryptionType)}), but different keys: ${shortKey(a.kmsKey)} and ${shortKey(b.kmsKey)}.`;
}

const MUTABILITY: Record<string, string> = {
  MUTABLE: "Mutable",
  IMMUTABLE: "Immutable",
  MUTABLE_WITH_EXCLUSION: "Mutable with exclusions",
  IMMUTABLE_WITH_EXCLUSION: "Immutable with exclusions",
};

export function mutability(m: string | undefined): string {
  return MUTABILITY[m ?? ""] ?? m ?? "-";
}

const MEDIA: [RegExp, string][] = [
  [/image\.index\.v1|manifest\.list\.v2/, "Image index"],
  [/image\.manifest\.v1|distribution\.manifest\.v[12]|container\.image\.v1|oci\.image\.config/, "Image"],
  [/helm\.config/, "Helm chart"],
  [/in-toto|attestation/, "Attestation"],
  [/spdx|cyclonedx|sbom/i, "SBOM"],
  [/cosign|signature|notary/i, "Signature"],
];

/** A media or artifact type in a word, or the type itself. */
export function artifact(type: string | undefined): string {
  if (!type) return "-";
  return MEDIA.find(([re]) => re.test(type))?.[1] ?? type;
}

export function layerKind(mediaType: string | undefined, kind: "CONFIG" | "LAYER"): string {
  if (kind === "CONFIG") return "Configuration";
  if (!mediaType) return "Layer";
  if (/zstd/.test(mediaType)) return "Layer (zstd)";
  if (/gzip/.test(mediaType)) return "Layer (gzip)";
  if (/tar$/.test(mediaType)) return "Layer (tar)";
  return "Blob";
}
