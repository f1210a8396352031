/** Changing how a site's mailboxes answer. */
import { NumberInput, Select, SimpleGrid, Switch, TextInput } from "@mantine/core";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { Site, VoicemailRules } from "../api/types";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { LANGUAGES } from "./voicemailText";

interface Values {
  voicemail: VoicemailRules;
}

const NUMBERS = [
  { name: "longest_seconds", label: "Longest message", description: "Seconds", min: 10, max: 3600 },
  { name: "shortest_seconds", label: "Shortest message", description: "Seconds; what is shorter is none", min: 1, max: 10 },
  { name: "silence_seconds", label: "Ends after silence", description: "Seconds; 0: never", min: 0, max: 60 },
  { name: "messages", label: "Messages in one mailbox", description: "Beyond it callers are told that it is full", min: 1, max: 2000 },
  { name: "deleted_days", label: "Deleted messages", description: "Days in which they can be taken back", min: 0, max: 365 },
  { name: "kept_days", label: "All other messages", description: "Days; 0: until they are deleted", min: 0, max: 3650 },
] as const;

export function VoicemailForm({ site, onClose }: { site: Site; onClose: () => void }) {
  const path = { site_id: site.id };
  const draft = useDraft<Values>({
    initial: { voicemail: site.voicemail },
    version: site.version,
    save: async (values, _, version) => {
      const body = { voicemail: values.voicemail };
      await bodyOf(api.PATCH("/sites/{site_id}", { params: { path, header: ifMatch(version) }, body }));
      await refresh(["sites"]);
      tellDone("The voicemail rules were saved");
      onClose();
    },
    reload: async () => {
      const saved = await bodyOf(api.GET("/sites/{site_id}", { params: { path } }));
      return { values: { voicemail: saved.voicemail }, version: saved.version };
    },
  });
  const rules = draft.values.voicemail;
  const set = (changes: Partial<VoicemailRules>) => draft.set({ voicemail: { ...rules, ...changes } });
  return (
    <FormDrawer title={`Voicemail of ${site.name}`} draft={draft} onClose={onClose}>
      <Select
        label="Language"
        data={LANGUAGES}
        allowDeselect={false}
        value={LANGUAGES.some((one) => one.value === rules.language) ? rules.language : "en"}
        error={draft.problemAt("voicemail.language")}
        onChange={(language) => set({ language: language ?? "en" })}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        {NUMBERS.map(({ name, label, description, min, max }) => (
          <NumberInput
            key={name}
            label={label}
            description={description}
            min={min}
            max={max}
            allowDecimal={false}
            value={rules[name]}
            error={draft.problemAt(`voicemail.${name}`)}
            onChange={(value) => set({ [name]: Number(value) || 0 })}
          />
        ))}
      </SimpleGrid>
      <Switch
        label="Recordings may leave the site"
        description="For listening in the portal and for mails; who called and when is always told"
        checked={rules.recordings_leave}
        onChange={(event) => set({ recordings_leave: event.currentTarget.checked })}
      />
      <TextInput
        label="Operator"
        description="What key 0 calls; empty: nobody"
        value={rules.operator}
        error={draft.problemAt("voicemail.operator")}
        onChange={(event) => set({ operator: event.currentTarget.value.trim() })}
      />
    </FormDrawer>
  );
}
