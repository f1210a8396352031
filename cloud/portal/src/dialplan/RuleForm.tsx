/** One rule: what it matches, and where it leads. It is saved with the whole plan. */
import { Alert, Button, Drawer, Group, MultiSelect, ScrollArea, Select, Stack, TagsInput, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";

import type { Plan, Rule } from "../api/types";
import { PERMISSIONS } from "../users/permissions";
import { PERIODS, type During } from "./hours";
import { CATEGORIES, KINDS, patternOf, patternText } from "./plan";

interface Props {
  plan: Plan;
  /** null: a new one. */
  rule: Rule | null;
  newId: string;
  onClose: () => void;
  onDone: (rule: Rule) => void;
  onRemove: (rule: Rule) => void;
}

/** Kinds that are added; features and services come with every plan, and are edited. */
const ADDED: Rule["kind"][] = ["outside", "emergency", "internal", "site_to_site", "voicemail"];

function fresh(kind: Rule["kind"], rule_id: string): Rule {
  switch (kind) {
    case "emergency":
      return { kind, rule_id, name: "Emergency", enabled: true, numbers: ["112"], prefix: "", gateways: [] } as Rule;
    case "internal":
      return { kind, rule_id, name: "Extensions", enabled: true } as Rule;
    case "site_to_site":
      return { kind, rule_id, name: "Other sites", enabled: true, gateways: [] } as Rule;
    case "voicemail":
      return { kind, rule_id, name: "Voicemail", enabled: true, code: "*97", prefix: "*98" } as Rule;
    default:
      return {
        kind: "outside",
        rule_id,
        name: "",
        enabled: true,
        category: "custom",
        patterns: [],
        call: { prefix: "", keep: "all" },
        gateways: [],
        permissions: [],
        during: null,
      } as Rule;
  }
}

export function RuleForm({ plan, rule, newId, onClose, onDone, onRemove }: Props) {
  const [draft, setDraft] = useState<Rule>(rule ?? fresh("outside", newId));
  const [patterns, setPatterns] = useState(draft.kind === "outside" ? draft.patterns.map(patternText) : []);
  const [wrong, setWrong] = useState<string | null>(null);
  const set = (changes: object) => setDraft((before) => ({ ...before, ...changes }) as Rule);
  const ways = [
    ...(plan.gateways ?? []).map((one) => ({ value: one.gateway_id, label: one.name })),
    ...(plan.trunks ?? []).map((one) => ({ value: one.gateway_id, label: one.name })),
  ];
  const title = rule ? `Rule ${rule.name}` : "New rule";

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = patterns.map(patternOf);
    if (!draft.name?.trim()) return setWrong("The rule needs a name.");
    if (draft.kind === "outside" && (read.length === 0 || read.includes(undefined))) {
      return setWrong("Write what is dialled as digits, x for any one digit, and … for any number of further digits: 0…, 9xxx, 00….");
    }
    if (draft.kind === "outside" && draft.during?.periods.length === 0) {
      return setWrong("Say when the rule counts: during working time, after hours, on holidays.");
    }
    if (draft.kind === "emergency" && draft.numbers.length === 0) return setWrong("At least one number for help is needed.");
    onDone(draft.kind === "outside" ? ({ ...draft, patterns: read } as Rule) : draft);
  };

  return (
    <Drawer
      opened
      onClose={onClose}
      title={title}
      position="right"
      size="lg"
      scrollAreaComponent={ScrollArea.Autosize}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form onSubmit={submit} noValidate aria-label={title}>
        <Stack gap="md">
          {rule ? null : (
            <Select
              label="Kind"
              data={ADDED.map((value) => ({ value, label: KINDS[value] }))}
              allowDeselect={false}
              value={draft.kind}
              onChange={(kind) => setDraft(fresh((kind ?? "outside") as Rule["kind"], newId))}
            />
          )}
          <TextInput label="Name" value={draft.name ?? ""} onChange={(event) => set({ name: event.currentTarget.value })} />
          {draft.kind === "outside" ? (
            <>
              <Select
                label="Category"
                data={CATEGORIES}
                allowDeselect={false}
                value={draft.category ?? "custom"}
                onChange={(category) => set({ category })}
              />
              <TagsInput
                label="What is dialled"
                description="Digits, x for any one digit, … for any further digits"
                placeholder="0…"
                value={patterns}
                onChange={setPatterns}
              />
              <Select
                label="What is called"
                data={[
                  { value: "all", label: "All that was dialled" },
                  { value: "variable", label: "What follows the fixed digits" },
                  { value: "nothing", label: "Only the number below" },
                ]}
                allowDeselect={false}
                value={draft.call?.keep ?? "all"}
                onChange={(keep) => set({ call: { ...draft.call, keep } })}
              />
              <TextInput
                label="Put before it"
                value={draft.call?.prefix ?? ""}
                onChange={(event) => set({ call: { ...draft.call, prefix: event.currentTarget.value } })}
              />
            </>
          ) : null}
          {draft.kind === "emergency" ? (
            <>
              <TagsInput label="Numbers for help" value={draft.numbers} onChange={(numbers) => set({ numbers })} />
              <TextInput
                label="Outside line"
                description="The numbers count with it and without it"
                value={draft.prefix ?? ""}
                onChange={(event) => set({ prefix: event.currentTarget.value })}
              />
            </>
          ) : null}
          {draft.kind === "outside" || draft.kind === "emergency" || draft.kind === "site_to_site" ? (
            <MultiSelect
              label="By these gateways"
              description={
                draft.kind === "site_to_site"
                  ? "When a site is not reached, its people’s public numbers are called by these, in this order"
                  : "In this order: the next is tried when one fails"
              }
              placeholder={ways.length ? undefined : "The site has no gateways yet"}
              data={ways}
              value={draft.gateways ?? []}
              onChange={(gateways) => set({ gateways })}
            />
          ) : null}
          {draft.kind === "outside" ? (
            <MultiSelect
              label="Who may"
              description="Any one of these permissions suffices; none: everybody of the site"
              data={PERMISSIONS.map(({ value, label }) => ({ value, label }))}
              value={draft.permissions ?? []}
              onChange={(permissions) => set({ permissions })}
            />
          ) : null}
          {draft.kind === "outside" ? (
            <DuringFields plan={plan} during={draft.during ?? null} onChange={(during) => set({ during })} />
          ) : null}
          {draft.kind === "feature" || draft.kind === "service" ? (
            <TextInput label="Code" value={draft.code} onChange={(event) => set({ code: event.currentTarget.value })} />
          ) : null}
          {draft.kind === "voicemail" ? (
            <>
              <TextInput
                label="One’s own mailbox"
                value={draft.code ?? ""}
                onChange={(event) => set({ code: event.currentTarget.value })}
              />
              <TextInput
                label="Before an extension, for anybody’s"
                value={draft.prefix ?? ""}
                onChange={(event) => set({ prefix: event.currentTarget.value })}
              />
            </>
          ) : null}
          {wrong ? (
            <Alert color="red" role="alert">
              {wrong}
            </Alert>
          ) : null}
          <Group justify="space-between" mt="xs">
            {rule ? (
              <Button variant="subtle" color="red" c="red" onClick={() => onRemove(rule)}>
                Remove rule
              </Button>
            ) : (
              <span />
            )}
            <Group gap="xs">
              <Button variant="default" onClick={onClose}>
                Cancel
              </Button>
              <Button type="submit">{rule ? "Take over" : "Add rule"}</Button>
            </Group>
          </Group>
        </Stack>
      </form>
    </Drawer>
  );
}

interface DuringProps {
  plan: Plan;
  during: During | null;
  onChange: (during: During | null) => void;
}

function DuringFields({ plan, during, onChange }: DuringProps) {
  const schedules = (plan.schedules ?? []).map((one) => ({ value: one.schedule_id, label: one.name }));
  return (
    <>
      <Select
        label="Goes by the schedule"
        description="None: the rule counts at all times"
        placeholder={schedules.length ? "At all times" : "The site has no schedules yet"}
        data={schedules}
        clearable
        value={during?.schedule_id ?? null}
        onChange={(id) => onChange(id === null ? null : { schedule_id: id, periods: during?.periods ?? ["working_time"] })}
      />
      {during ? (
        <MultiSelect
          label="Counts during"
          data={PERIODS}
          value={during.periods}
          onChange={(periods) => onChange({ ...during, periods: periods as During["periods"] })}
        />
      ) : null}
    </>
  );
}
