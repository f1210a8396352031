/** A rule of recording: made or changed. */
import { MultiSelect } from "@mantine/core";

import type { RecordingRule, Site } from "../api/types";
import { Fields, type FieldOf } from "../forms/Fields";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { ANNOUNCEMENTS, CALLS, DIRECTIONS, FRESH, placeOf, withRule } from "./recordingText";
import { readSite, saveRecording } from "./saveRecording";

type Choice = { value: string; label: string };

interface Props {
  site: Site;
  /** null: a new one. */
  rule: RecordingRule | null;
  /** Trunks and gateways. */
  trunks: Choice[];
  people: Choice[];
  /** Hunt groups and pickup groups. */
  groups: Choice[];
  onClose: () => void;
}

const FIRST: readonly FieldOf<RecordingRule>[] = [
  { kind: "text", name: "name", label: "Name" },
  { kind: "select", name: "calls", label: "To the outside or inside", options: CALLS },
  { kind: "select", name: "direction", label: "Which calls", options: DIRECTIONS, unless: (rule) => rule.calls === "inside" },
];
const LAST: readonly FieldOf<RecordingRule>[] = [
  { kind: "select", name: "announcement", label: "Who is told that the call is recorded", options: ANNOUNCEMENTS },
  { kind: "switch", name: "enabled", label: "This rule is on" },
];

export function RecordingRuleForm({ site, rule, trunks, people, groups, onClose }: Props) {
  const draft = useDraft<RecordingRule>({
    initial: rule ?? FRESH,
    version: site.version,
    save: async (values, _, version) => {
      const current = version === site.version ? site : await readSite(site.id);
      const rules = withRule(current.recording.rules, rule, values);
      const place = rule === null ? rules.length - 1 : placeOf(current.recording.rules, rule);
      await saveRecording(site.id, version, { rules }, `recording.rules.${place < 0 ? rules.length - 1 : place}`);
      tellDone(`${values.name} was saved and is being published`);
      onClose();
    },
    reload: async () => {
      const saved = await readSite(site.id);
      const place = placeOf(saved.recording.rules, rule);
      return { values: saved.recording.rules[place] ?? rule ?? FRESH, version: saved.version };
    },
  });
  const among = (all: Choice[], chosen: readonly string[], gone: string) => [
    ...all,
    ...chosen.filter((id) => !all.some((one) => one.value === id)).map((value) => ({ value, label: gone })),
  ];
  const { trunk_ids, user_ids, group_ids } = draft.values;
  return (
    <FormDrawer title={rule ? `Rule ${rule.name}` : "New rule of recording"} draft={draft} saveLabel="Save rule" onClose={onClose}>
      <Fields draft={draft} fields={FIRST} />
      {draft.values.calls === "inside" ? null : (
        <MultiSelect
          label="By which trunks and gateways"
          description="Empty: by any"
          searchable
          maxValues={50}
          data={among(trunks, trunk_ids, "one that is gone")}
          value={[...trunk_ids]}
          error={draft.problemAt("trunk_ids")}
          onChange={(chosen) => draft.set({ trunk_ids: chosen })}
        />
      )}
      <MultiSelect
        label="Of whom"
        description="Whether they call or answer. Nobody and no group: of everybody"
        searchable
        maxValues={1000}
        data={among(people, user_ids, "somebody who is gone")}
        value={[...user_ids]}
        error={draft.problemAt("user_ids")}
        onChange={(chosen) => draft.set({ user_ids: chosen })}
      />
      <MultiSelect
        label="Of the members of which groups"
        description="As they are when a call begins"
        searchable
        maxValues={100}
        data={among(groups, group_ids, "a group that is gone")}
        value={[...group_ids]}
        error={draft.problemAt("group_ids")}
        onChange={(chosen) => draft.set({ group_ids: chosen })}
      />
      <Fields draft={draft} fields={LAST} />
    </FormDrawer>
  );
}
