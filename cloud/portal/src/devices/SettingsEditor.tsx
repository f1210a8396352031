/** The settings of a device model, by their groups, with the defaults beside what differs from them. */
import { Accordion, Badge, Button, Group, NumberInput, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import type { ModelGroup, ModelSetting } from "../api/types";
import { SearchIcon } from "../shell/icons";
import { foundSettings } from "./search";
import { defaultText, valueOf, withValue, type Inheritance, type Inherited, type SettingValue, type Settings } from "./settings";

interface Props {
  title?: string;
  groups: readonly ModelGroup[];
  settings: Settings;
  /** What groups, site and tenant say. */
  inheritance?: Inheritance;
  onChange: (settings: Settings) => void;
  problemAt: (path: string) => string | undefined;
}

export function SettingsEditor({ title = "Settings of the model", groups: all, settings, inheritance = {}, onChange, problemAt }: Props) {
  const [advanced, setAdvanced] = useState(false);
  const [search, setSearch] = useState("");
  const [opened, setOpened] = useState<string[]>([]);
  const shows = (setting: ModelSetting) => advanced || !setting.advanced || setting.path in settings || setting.path in inheritance;
  const wanted = search.trim();
  const groups = wanted
    ? foundSettings(all, wanted)
    : all.map((group) => ({ ...group, settings: group.settings.filter(shows) }));
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Text size="sm" fw={560}>
          {title}
        </Text>
        <Switch
          size="xs"
          label="Show advanced"
          checked={advanced}
          disabled={wanted !== ""}
          onChange={(event) => setAdvanced(event.currentTarget.checked)}
        />
      </Group>
      <TextInput
        aria-label="Find a setting"
        placeholder="Find a setting, such as codec"
        leftSection={<SearchIcon size={16} />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      {wanted && groups.length === 0 ? (
        <Text size="sm" c="dimmed">
          No setting of this name.
        </Text>
      ) : null}
      <Accordion
        variant="separated"
        multiple
        chevronPosition="left"
        value={wanted ? groups.map((group) => group.name) : opened}
        onChange={(value) => {
          if (!wanted) setOpened(value);
        }}
      >
        {groups
          .filter((group) => group.settings.length > 0)
          .map((group) => (
            <Accordion.Item key={group.name} value={group.name}>
              <Accordion.Control>
                <Group gap="xs">
                  {group.label}
                  <GroupCount group={group} settings={settings} hasProblem={group.settings.some((one) => problemAt(one.path))} />
                </Group>
              </Accordion.Control>
              <Accordion.Panel>
                <Stack gap="md">
                  {group.help ? (
                    <Text size="sm" c="dimmed">
                      {group.help}
                    </Text>
                  ) : null}
                  {group.settings.map((setting) => (
                    <SettingInput
                      key={setting.path}
                      setting={setting}
                      settings={settings}
                      inherited={inheritance[setting.path]}
                      error={problemAt(setting.path)}
                      onChange={onChange}
                    />
                  ))}
                </Stack>
              </Accordion.Panel>
            </Accordion.Item>
          ))}
      </Accordion>
    </Stack>
  );
}

function GroupCount({ group, settings, hasProblem }: { group: ModelGroup; settings: Settings; hasProblem: boolean }) {
  const changed = group.settings.filter((setting) => setting.path in settings).length;
  if (hasProblem) return <Badge color="red">to correct</Badge>;
  return changed > 0 ? <Badge>{changed} changed</Badge> : null;
}

interface InputProps {
  setting: ModelSetting;
  settings: Settings;
  inherited: Inherited | undefined;
  error: string | undefined;
  onChange: (settings: Settings) => void;
}

function SettingInput({ setting, settings, inherited, error, onChange }: InputProps) {
  const value = valueOf(settings, setting, inherited);
  const change = (next: SettingValue) => onChange(withValue(settings, setting, next, inherited));
  const description = (
    <>
      {setting.help ? `${setting.help} ` : ""}
      {setting.path in settings ? (
        <>
          Set here. {inherited ? `From the ${inherited.origin}` : "Default"}: {defaultText(setting, inherited)}{" "}
          <Button
            size="compact-xs"
            variant="subtle"
            onClick={() => change(inherited?.value ?? setting.default)}
            aria-label={`${setting.label}: back to default`}
          >
            Back to default
          </Button>
        </>
      ) : (
        inherited ? `From the ${inherited.origin}` : "Default"
      )}
    </>
  );
  const shared = { label: setting.label, description, error };
  if (setting.type === "boolean") {
    return <Switch {...shared} checked={value === true} onChange={(event) => change(event.currentTarget.checked)} />;
  }
  if (setting.type === "enum") {
    return (
      <Select
        {...shared}
        data={setting.options}
        value={String(value)}
        allowDeselect={false}
        onChange={(next) => change(next ?? setting.default)}
      />
    );
  }
  if (setting.type === "integer") {
    return (
      <NumberInput
        {...shared}
        value={value as number}
        min={setting.minimum ?? undefined}
        max={setting.maximum ?? undefined}
        clampBehavior="none"
        allowDecimal={false}
        onChange={(next) => change(typeof next === "number" ? next : setting.default)}
      />
    );
  }
  return (
    <TextInput
      {...shared}
      value={String(value)}
      maxLength={setting.max_length}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}
