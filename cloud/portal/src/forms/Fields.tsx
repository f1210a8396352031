/** Inputs of a form by their description: one line for each field, its help, and what is wrong with it. */
import { NumberInput, Select, Switch, TagsInput, TextInput } from "@mantine/core";

import type { Draft } from "./useDraft";

interface Common<V> {
  name: keyof V & string;
  label: string;
  help?: string;
  /** Not asked for, as things are. */
  unless?: (values: V) => boolean;
}

export type FieldOf<V> = Common<V> &
  (
    | { kind: "text"; placeholder?: string; /** Empty is null in the API. */ nullable?: boolean }
    | { kind: "number"; min: number; max: number }
    | { kind: "switch" }
    | { kind: "select"; options: readonly { value: string; label: string }[] }
    | { kind: "tags"; placeholder?: string; numeric?: boolean }
  );

export function Fields<V extends object>({ draft, fields }: { draft: Draft<V>; fields: readonly FieldOf<V>[] }) {
  return fields
    .filter((field) => !field.unless?.(draft.values))
    .map((field) => <One key={field.name} draft={draft} field={field} />);
}

function One<V extends object>({ draft, field }: { draft: Draft<V>; field: FieldOf<V> }) {
  const value: unknown = draft.values[field.name];
  const set = (next: unknown) => draft.set({ [field.name]: next } as Partial<V>);
  const common = { label: field.label, description: field.help, error: draft.problemAt(field.name) };
  switch (field.kind) {
    case "text":
      return (
        <TextInput
          {...common}
          placeholder={field.placeholder}
          value={(value as string | null | undefined) ?? ""}
          onChange={(event) => {
            const text = event.currentTarget.value;
            set(field.nullable && text === "" ? null : text);
          }}
        />
      );
    case "number":
      return (
        <NumberInput
          {...common}
          min={field.min}
          max={field.max}
          allowDecimal={false}
          value={(value as number | null | undefined) ?? 0}
          onChange={(next) => set(Number(next) || 0)}
        />
      );
    case "switch":
      return <Switch {...common} checked={Boolean(value)} onChange={(event) => set(event.currentTarget.checked)} />;
    case "select":
      return (
        <Select
          {...common}
          data={[...field.options]}
          allowDeselect={false}
          value={String(value)}
          onChange={(next) => set(next)}
        />
      );
    case "tags":
      return (
        <TagsInput
          {...common}
          placeholder={field.placeholder}
          acceptValueOnBlur
          value={((value as readonly unknown[] | undefined) ?? []).map(String)}
          onChange={(next) => set(field.numeric ? next.map(Number).filter((one) => Number.isInteger(one)) : next)}
        />
      );
  }
}
