/** Inputs of a form by their description: one line for each field, its help, and what is wrong with it. */
import { NumberInput, Select, Switch, TagsInput, Text, Textarea, TextInput } from "@mantine/core";

import type { Draft } from "./useDraft";

interface Common<V> {
  name: keyof V & string;
  label: string;
  help?: string;
  /** Not asked for, as things are. */
  unless?: (values: V) => boolean;
}

interface Option {
  value: string;
  label: string;
  /** What is meant, where the label is not enough: said of the picked one, and of each while one is picked. */
  help?: string;
}

export type FieldOf<V> = Common<V> &
  (
    | { kind: "text"; placeholder?: string; /** Empty is null in the API. */ nullable?: boolean }
    | { kind: "long"; placeholder?: string }
    | { kind: "number"; min: number; max: number }
    | { kind: "switch" }
    | { kind: "select"; options: readonly Option[] }
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
    case "long":
      return (
        <Textarea
          {...common}
          placeholder={field.placeholder}
          autosize
          minRows={2}
          maxRows={8}
          spellCheck={false}
          value={(value as string | undefined) ?? ""}
          onChange={(event) => set(event.currentTarget.value)}
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
    case "select": {
      const option = (wanted: unknown) => field.options.find((one) => one.value === wanted);
      return (
        <Select
          {...common}
          description={option(value)?.help ?? field.help}
          data={field.options.map((one) => ({ value: one.value, label: one.label }))}
          renderOption={({ option: shown }) => <PickedOption label={shown.label} help={option(shown.value)?.help} />}
          allowDeselect={false}
          value={String(value)}
          onChange={(next) => set(next)}
        />
      );
    }
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

function PickedOption({ label, help }: { label: string; help: string | undefined }) {
  return (
    <div>
      {label}
      {help ? (
        <Text size="xs" c="dimmed">
          {help}
        </Text>
      ) : null}
    </div>
  );
}
