// Whether tags can be pointed elsewhere, and which are excepted.

import AttributeEditor from "@cloudscape-design/components/attribute-editor";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { Mutability } from "../api/ecr";
import { exclusionProblem } from "../pure/names";

export interface MutabilityValue {
  immutable: boolean;
  exclusions: string[];
}

export const DEFAULT_MUTABILITY: MutabilityValue = { immutable: false, exclusions: [] };

export function mutabilityValue(m: Mutability | undefined, filters: { filter?: string }[] | undefined): MutabilityValue {
  return { immutable: (m ?? "MUTABLE").startsWith("IMMUTABLE"), exclusions: (filters ?? []).map((f) => f.filter ?? "") };
}

export function mutabilityInput(v: MutabilityValue) {
  const base = v.immutable ? ("IMMUTABLE" as const) : ("MUTABLE" as const);
  if (v.exclusions.length === 0) return { imageTagMutability: base };
  return {
    imageTagMutability: `${base}_WITH_EXCLUSION` as const,
    imageTagMutabilityExclusionFilters: v.exclusions.map((filter) => ({ filterType: "WILDCARD" as const, filter })),
  };
}

export function isMutabilityFine(v: MutabilityValue): boolean {
  return v.exclusions.every((e) => !exclusionProblem(e));
}

export function MutabilityFields({ value, onChange }: { value: MutabilityValue; onChange(next: MutabilityValue): void }) {
  const set = (i: number, text: string) => onChange({ ...value, exclusions: value.exclusions.map((e, j) => (i === j ? text : e)) });
  return (
    <SpaceBetween size="m">
      <FormField label="Image tag mutability" stretch>
        <RadioGroup
          value={value.immutable ? "IMMUTABLE" : "MUTABLE"}
          onChange={({ detail }) => onChange({ ...value, immutable: detail.value === "IMMUTABLE" })}
          items={[
            { value: "MUTABLE", label: "Mutable", description: "A tag can be pointed at another image by pushing it again." },
            { value: "IMMUTABLE", label: "Immutable", description: "A tag that is taken stays where it points. Pushing it again is refused." },
          ]}
        />
      </FormField>
      <FormField
        label={value.immutable ? "Tags that stay mutable - optional" : "Tags that are immutable - optional"}
        description="Up to five filters on the whole tag; * stands for anything, such as release-* or latest."
        stretch
      >
        <AttributeEditor
          items={value.exclusions}
          definition={[
            {
              label: "Filter",
              control: (item, i) => <Input value={item} onChange={({ detail }) => set(i, detail.value.trim())} placeholder="release-*" ariaLabel={`Filter ${i + 1}`} />,
              errorText: (item) => (item ? exclusionProblem(item) : undefined),
            },
          ]}
          addButtonText="Add a filter"
          removeButtonText="Remove"
          removeButtonAriaLabel={(item) => `Remove the filter ${item}`}
          disableAddButton={value.exclusions.length >= 5}
          onAddButtonClick={() => onChange({ ...value, exclusions: [...value.exclusions, ""] })}
          onRemoveButtonClick={({ detail }) => onChange({ ...value, exclusions: value.exclusions.filter((_, i) => i !== detail.itemIndex) })}
          empty="No exceptions."
        />
      </FormField>
    </SpaceBetween>
  );
}
