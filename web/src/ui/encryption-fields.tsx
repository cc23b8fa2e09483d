// How a repository's layers are encrypted: fixed at creation, and what decides with whom it can share.

import Alert from "@cloudscape-design/components/alert";
import Checkbox from "@cloudscape-design/components/checkbox";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { EncryptionType } from "../api/ecr";
import { berth } from "../api/sharing";
import { useSession } from "../app/session";
import { plural } from "../pure/format";
import { poolLabel } from "../pure/words";
import { useLoad } from "./data";

export interface Encryption {
  type: EncryptionType;
  ownKey: boolean;
  key: string;
}

export const DEFAULT_ENCRYPTION: Encryption = { type: "AES256", ownKey: false, key: "" };

export function encryptionInput(e: Encryption) {
  return { encryptionType: e.type, ...(e.type !== "AES256" && e.ownKey ? { kmsKey: e.key } : {}) };
}

/** Repositories that a new one would share layers with. */
function Neighbors({ value }: { value: Encryption }) {
  const { client } = useSession();
  const { data } = useLoad((signal) => berth(client, "GetSharingSummary", {}, signal), [client]);
  if (!data || data.repositories === 0) return null;
  const same = data.pools.filter((p) => p.encryptionType === value.type && (!value.ownKey || value.type === "AES256" || p.kmsKey === value.key));
  const n = same.length === 1 ? same[0]!.repositories : 0;
  const known = same.length === 1 || same.length === 0;
  if (!known) return null;
  return (
    <Alert type={n > 0 ? "info" : "warning"}>
      {n > 0
        ? `Layers can be shared with ${plural(n, "repository", "repositories")} of the pool ${poolLabel(same[0]!)}.`
        : `No other repository has this encryption yet, so there is nothing to share layers with. The registry has ${plural(data.repositories, "repository", "repositories")}, encrypted otherwise.`}
    </Alert>
  );
}

export function EncryptionFields({ value, onChange, showNeighbors }: { value: Encryption; onChange(next: Encryption): void; showNeighbors?: boolean }) {
  return (
    <SpaceBetween size="m">
      <FormField
        label="Encryption type"
        description="It cannot be changed after the repository is created. Layers are shared only between repositories with the same type and key."
        stretch
      >
        <RadioGroup
          value={value.type}
          onChange={({ detail }) => onChange({ ...value, type: detail.value as EncryptionType })}
          items={[
            { value: "AES256", label: "AES-256", description: "A key that Berth keeps. The usual choice." },
            { value: "KMS", label: "AWS KMS", description: "A key of the key management service, which you can audit and disable." },
            { value: "KMS_DSSE", label: "AWS KMS, dual-layer (DSSE)", description: "Two independent layers of encryption with a key of the key management service." },
          ]}
        />
      </FormField>
      {value.type !== "AES256" && (
        <>
          <Checkbox checked={value.ownKey} onChange={({ detail }) => onChange({ ...value, ownKey: detail.checked })} description="Otherwise the default key aws/ecr is used.">
            Choose a key
          </Checkbox>
          {value.ownKey && (
            <FormField label="KMS key" description="An ARN, a key ID, or an alias such as alias/containers.">
              <Input value={value.key} onChange={({ detail }) => onChange({ ...value, key: detail.value.trim() })} placeholder="arn:aws:kms:…" spellcheck={false} />
            </FormField>
          )}
        </>
      )}
      {showNeighbors && <Neighbors value={value} />}
    </SpaceBetween>
  );
}
