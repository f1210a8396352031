/** One menu: what it says, its keypad, and what becomes of who finds no way. */
import { Button, Group, NumberInput, Select, Stack, Switch, Text, TextInput, Title, UnstyledButton } from "@mantine/core";
import { useState } from "react";

import type { Attendant, AttendantMenu, KeyAction, MenuKey } from "../api/types";
import type { Destination } from "../numbers/destinations";
import { LANGUAGES } from "../voicemail/voicemailText";
import { ActionInput } from "./ActionInput";
import { GreetingInput } from "./GreetingInput";
import { KEYS, LAST_ACTIONS, newMenu, usesOf, withKey, withMenu, withoutMenu } from "./attendant";

interface Props {
  attendant: Attendant;
  menu: AttendantMenu;
  tenantId: string;
  destinations: readonly Destination[];
  onChange: (attendant: Attendant) => void;
  onSelect: (menuId: string) => void;
}

export function MenuPanel({ attendant, menu, tenantId, destinations, onChange, onSelect }: Props) {
  const [key, setKey] = useState<MenuKey["key"]>("1");
  const set = (changes: Partial<AttendantMenu>) => onChange(withMenu(attendant, { ...menu, ...changes }));
  const bound = (menu.keys ?? []).find((one) => one.key === key);
  const put = (changed: MenuKey | undefined) => set({ keys: withKey(menu, key, changed).keys });
  const uses = usesOf(attendant, menu.menu_id);
  const nested = () => {
    const made = newMenu(attendant, `Menu ${attendant.menus.length + 1}`);
    const leading = withKey(menu, key, { key, action: { kind: "menu", menu_id: made.menu_id }, label: bound?.label ?? "" });
    onChange(withMenu(withMenu(attendant, leading), made));
    onSelect(made.menu_id);
  };
  return (
    <Stack gap="md" role="group" aria-label={`Menu ${menu.name}`}>
      <Group grow preventGrowOverflow={false}>
        <TextInput label="Menu" value={menu.name} onChange={(event) => set({ name: event.currentTarget.value })} />
        <Select
          label="Language"
          data={[{ value: "", label: "As before" }, ...LANGUAGES]}
          allowDeselect={false}
          value={menu.language ?? ""}
          onChange={(language) => set({ language: language || null })}
        />
      </Group>
      <GreetingInput
        label="Greeting"
        tenantId={tenantId}
        value={menu.greeting ?? { kind: "standard", phrase: "welcome" }}
        onChange={(greeting) => set({ greeting })}
      />
      <Switch
        label="An extension can be dialled at once"
        checked={menu.direct_extensions ?? false}
        onChange={(event) => set({ direct_extensions: event.currentTarget.checked })}
      />
      <Group align="flex-start" gap="lg">
        <div className="keypad" role="group" aria-label="Keys">
          {KEYS.map((one) => (
            <UnstyledButton
              key={one}
              aria-label={`Key ${one}`}
              aria-pressed={one === key}
              data-used={(menu.keys ?? []).some((each) => each.key === one)}
              onClick={() => setKey(one)}
            >
              {one}
            </UnstyledButton>
          ))}
        </div>
        <Stack gap="xs" flex={1} miw={220}>
          <Title order={3} size="h5">
            Key {key}
          </Title>
          {bound ? (
            <>
              <ActionInput
                label="Does"
                value={bound.action}
                onChange={(action) => put({ ...bound, action })}
                {...{ attendant, tenantId, destinations }}
              />
              <TextInput
                label="Is for"
                description="Told with the standard words, such as “Sales”"
                value={bound.label ?? ""}
                onChange={(event) => put({ ...bound, label: event.currentTarget.value })}
              />
            </>
          ) : (
            <Text size="sm" c="dimmed">
              It does nothing.
            </Text>
          )}
          <Group gap="xs">
            {bound ? (
              <Button size="compact-sm" variant="default" onClick={() => put(undefined)}>
                Let it do nothing
              </Button>
            ) : (
              <Button size="compact-sm" variant="default" onClick={() => put({ key, action: { kind: "dial", destination: "" }, label: "" })}>
                Give it something to do
              </Button>
            )}
            {bound?.action.kind !== "menu" ? (
              <Button size="compact-sm" variant="default" onClick={nested}>
                Put a new menu behind it
              </Button>
            ) : null}
          </Group>
        </Stack>
      </Group>
      <Patience name="Nothing is pressed" field="no_input" {...{ attendant, menu, tenantId, destinations, set }} />
      <Patience name="A wrong key is pressed" field="invalid" {...{ attendant, menu, tenantId, destinations, set }} />
      <Group grow preventGrowOverflow={false}>
        <NumberInput
          label="Seconds for the first key"
          min={1}
          max={60}
          allowDecimal={false}
          value={menu.first_key_seconds ?? 7}
          onChange={(seconds) => set({ first_key_seconds: Number(seconds) || 7 })}
        />
        <NumberInput
          label="Seconds between two digits"
          min={1}
          max={10}
          allowDecimal={false}
          value={menu.next_key_seconds ?? 3}
          onChange={(seconds) => set({ next_key_seconds: Number(seconds) || 3 })}
        />
      </Group>
      <Group gap="sm">
        <Button
          size="compact-sm"
          variant="default"
          color="red"
          disabled={uses.length > 0}
          onClick={() => {
            onChange(withoutMenu(attendant, menu.menu_id));
            onSelect(attendant.first_menu);
          }}
        >
          Remove this menu
        </Button>
        {uses.length > 0 ? (
          <Text size="sm" c="dimmed">
            Still used: {uses.join(", ")}
          </Text>
        ) : null}
      </Group>
    </Stack>
  );
}

interface PatienceProps {
  name: string;
  field: "no_input" | "invalid";
  attendant: Attendant;
  menu: AttendantMenu;
  tenantId: string;
  destinations: readonly Destination[];
  set: (changes: Partial<AttendantMenu>) => void;
}

function Patience({ name, field, menu, set, ...shared }: PatienceProps) {
  const value = menu[field] ?? { times: 2, then: { kind: "hang_up" as const } };
  type Last = typeof value.then;
  return (
    <Group align="flex-end" gap="xs" role="group" aria-label={name}>
      <NumberInput
        w={180}
        label={name}
        description="Asked again"
        min={0}
        max={9}
        allowDecimal={false}
        value={value.times}
        onChange={(times) => set({ [field]: { ...value, times: Number(times) || 0 } })}
      />
      <ActionInput
        label="Then"
        choices={LAST_ACTIONS}
        value={value.then as KeyAction}
        onChange={(then) => set({ [field]: { ...value, then: then as Last } })}
        {...shared}
      />
    </Group>
  );
}
