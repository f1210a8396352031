/** The settings of one level for one scope: what it says itself, what it takes from elsewhere, and saving it. */
import { Button, Group, Stack } from "@mantine/core";
import { useEffect } from "react";

import type { ModelGroup } from "../api/types";
import { SettingsEditor } from "../devices/SettingsEditor";
import { settingsPatch, type Inheritance, type Settings, type SettingValue } from "../devices/settings";
import { FormProblems } from "../forms/FormDrawer";
import { useDraft, type Versioned } from "../forms/useDraft";

export type ScopePatch = Record<string, SettingValue | null>;

interface Values {
  own: Settings;
}

interface Props {
  scope: string;
  groups: readonly ModelGroup[];
  settings: Settings;
  version: number;
  inheritance: Inheritance;
  /** The version that there is then. */
  save: (patch: ScopePatch, version: number) => Promise<number>;
  reload: () => Promise<Versioned<Settings>>;
  onTouched: (touched: boolean) => void;
  onDiscard: () => void;
}

export function LevelForm({ scope, groups, settings, version, inheritance, save, reload, onTouched, onDiscard }: Props) {
  const draft = useDraft<Values>({
    initial: { own: settings },
    version,
    save: async ({ own }, _changes, at) => {
      const before = at === version ? settings : (await reload()).values;
      return { values: { own }, version: await save(settingsPatch(before, own), at) };
    },
    reload: async () => {
      const saved = await reload();
      return { values: { own: saved.values }, version: saved.version };
    },
  });
  const touched = draft.isTouched;
  useEffect(() => onTouched(touched), [touched, onTouched]);
  return (
    <form onSubmit={draft.submit} noValidate aria-label="Settings of this level">
      <Stack gap="md">
        <SettingsEditor
          title="Settings"
          groups={groups}
          settings={draft.values.own}
          inheritance={inheritance}
          onChange={(own) => draft.set({ own })}
          problemAt={(path) => draft.problemAt(`settings.${scope}/${path}`) ?? draft.problemAt(`own.${path}`)}
        />
        <FormProblems draft={draft} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDiscard} disabled={!touched}>
            Discard changes
          </Button>
          <Button type="submit" loading={draft.saving} disabled={!touched}>
            Save settings
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
