// A policy as JSON text, with what is wrong said below it while it is written.

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { useState, type ReactNode } from "react";
import { jsonProblem, pretty, type Example } from "../pure/policy";
import { failureWords } from "../pure/errors";

interface Props {
  label: string;
  description?: ReactNode;
  /** The policy that holds, if one does. */
  saved?: string;
  initial?: string;
  limit: number;
  examples?: Example[];
  /** More that can be wrong, beyond JSON. */
  problems?(value: unknown): string[];
  onSave(text: string): Promise<void>;
  onCancel(): void;
  onChange?(text: string): void;
}

export function PolicyEditor({ label, description, saved, initial, limit, examples, problems, onSave, onCancel, onChange }: Props) {
  const [text, setText] = useState(() => (saved ? pretty(saved) : (initial ?? "")));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const json = text.trim() ? jsonProblem(text) : undefined;
  const more = !json && text.trim() && problems ? problems(JSON.parse(text)) : [];
  const tooLong = text.length > limit;
  const change = (next: string) => {
    setText(next);
    setError(undefined);
    onChange?.(next);
  };
  const refusal = error !== undefined ? failureWords(error) : undefined;
  const wrong = json?.message ?? (tooLong ? `The policy is longer than ${limit} characters.` : undefined);

  const save = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onSave(text);
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };
  return (
    <SpaceBetween size="m">
      {examples && examples.length > 0 && (
        <ButtonDropdown
          items={examples.map((e) => ({ id: e.id, text: e.text, description: e.description }))}
          onItemClick={({ detail }) => change(JSON.stringify(examples.find((e) => e.id === detail.id)!.policy, null, 2))}
        >
          Examples
        </ButtonDropdown>
      )}
      <FormField
        label={label}
        description={description}
        stretch
        errorText={wrong ?? (more.length > 0 && <ProblemList items={more} />) ?? undefined}
        constraintText={`${text.length} of ${limit} characters`}
      >
        <div className="editor">
          <Textarea value={text} onChange={({ detail }) => change(detail.value)} rows={Math.min(30, Math.max(14, text.split("\n").length + 1))} spellcheck={false} />
        </div>
      </FormField>
      {refusal && (
        <Box color="text-status-error">
          <span role="alert">
            {refusal.title}. {refusal.text}
          </span>
        </Box>
      )}
      <SpaceBetween direction="horizontal" size="xs">
        <Button variant="primary" loading={busy} disabled={!text.trim() || Boolean(wrong) || more.length > 0} onClick={() => void save()}>
          Save
        </Button>
        <Button variant="link" onClick={onCancel}>
          Cancel
        </Button>
      </SpaceBetween>
    </SpaceBetween>
  );
}

function ProblemList({ items }: { items: string[] }) {
  if (items.length === 1) return <>{items[0]}</>;
  return (
    <ul className="problems">
      {items.slice(0, 8).map((p) => (
        <li key={p}>{p}</li>
      ))}
      {items.length > 8 && <li>and {items.length - 8} more</li>}
    </ul>
  );
}

export function PolicyText({ text, label }: { text: string; label: string }) {
  return (
    <pre className="manifest" tabIndex={0} aria-label={label}>
      {pretty(text)}
    </pre>
  );
}
