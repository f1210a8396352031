/** What a key does, or what becomes of who finds no way. */
import { Group, Select } from "@mantine/core";

import type { Attendant, KeyAction } from "../api/types";
import { DestinationInput } from "../numbers/DestinationInput";
import type { Destination } from "../numbers/destinations";
import { ACTIONS, actionOf } from "./attendant";
import { GreetingInput } from "./GreetingInput";

interface Props {
  label: string;
  attendant: Attendant;
  tenantId: string;
  destinations: readonly Destination[];
  value: KeyAction;
  choices?: typeof ACTIONS;
  onChange: (value: KeyAction) => void;
}

export function ActionInput({ label, attendant, tenantId, destinations, value, choices = ACTIONS, onChange }: Props) {
  const menus = attendant.menus.map((menu) => ({ value: menu.menu_id, label: menu.name || menu.menu_id }));
  return (
    <Group gap="xs" align="flex-end" grow preventGrowOverflow={false} wrap="wrap">
      <Select
        label={label}
        allowDeselect={false}
        data={choices}
        value={value.kind}
        onChange={(kind) => onChange(actionOf((kind ?? "hang_up") as KeyAction["kind"], attendant))}
      />
      {value.kind === "dial" ? (
        <DestinationInput
          label="Number"
          destinations={destinations}
          value={value.destination}
          onChange={(destination) => onChange({ kind: "dial", destination })}
        />
      ) : null}
      {value.kind === "voicemail" ? (
        <DestinationInput
          label="Mailbox of"
          destinations={destinations}
          value={value.mailbox}
          onChange={(mailbox) => onChange({ kind: "voicemail", mailbox })}
        />
      ) : null}
      {value.kind === "menu" ? (
        <Select
          label="Menu"
          allowDeselect={false}
          data={menus}
          value={value.menu_id}
          onChange={(menuId) => onChange({ kind: "menu", menu_id: menuId ?? attendant.first_menu })}
        />
      ) : null}
      {value.kind === "announcement" ? (
        <GreetingInput
          label="Announcement"
          tenantId={tenantId}
          recordable={false}
          value={value.greeting}
          onChange={(greeting) => {
            if (greeting.kind !== "recorded") onChange({ kind: "announcement", greeting });
          }}
        />
      ) : null}
    </Group>
  );
}
