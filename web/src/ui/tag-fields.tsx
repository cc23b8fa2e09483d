// Key and value pairs on a resource. (Not image tags.)

import AttributeEditor from "@cloudscape-design/components/attribute-editor";
import Input from "@cloudscape-design/components/input";
import type { Tag } from "../api/ecr";

export type TagRow = { key: string; value: string };

export function tagProblem(rows: readonly TagRow[]): string | undefined {
  if (rows.length > 50) return "At most 50 tags.";
  if (rows.some((r) => !r.key)) return "Every tag needs a key.";
  if (new Set(rows.map((r) => r.key)).size < rows.length) return "A key is there twice.";
  if (rows.some((r) => r.key.length > 128 || r.value.length > 256)) return "Keys have at most 128 and values at most 256 characters.";
  if (rows.some((r) => /^aws:/i.test(r.key))) return "Keys that begin with aws: are reserved.";
  return undefined;
}

export function toRows(tags: readonly Tag[] | undefined): TagRow[] {
  return (tags ?? []).map((t) => ({ key: t.Key ?? "", value: t.Value ?? "" }));
}

export function toTags(rows: readonly TagRow[]): Tag[] {
  return rows.map((r) => ({ Key: r.key, Value: r.value }));
}

export function TagFields({ rows, onChange }: { rows: TagRow[]; onChange(rows: TagRow[]): void }) {
  const set = (i: number, change: Partial<TagRow>) => onChange(rows.map((r, j) => (i === j ? { ...r, ...change } : r)));
  return (
    <AttributeEditor
      items={rows}
      definition={[
        {
          label: "Key",
          control: (r, i) => <Input value={r.key} onChange={({ detail }) => set(i, { key: detail.value })} placeholder="team" ariaLabel={`Key ${i + 1}`} />,
        },
        {
          label: "Value - optional",
          control: (r, i) => <Input value={r.value} onChange={({ detail }) => set(i, { value: detail.value })} placeholder="payments" ariaLabel={`Value ${i + 1}`} />,
        },
      ]}
      addButtonText="Add a tag"
      removeButtonText="Remove"
      removeButtonAriaLabel={(r) => `Remove the tag ${r.key}`}
      disableAddButton={rows.length >= 50}
      onAddButtonClick={() => onChange([...rows, { key: "", value: "" }])}
      onRemoveButtonClick={({ detail }) => onChange(rows.filter((_, i) => i !== detail.itemIndex))}
      empty="No tags."
    />
  );
}
