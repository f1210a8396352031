/** With which menu calls begin: by the site's schedules, and in special mode. */
import { ActionIcon, Button, Group, MultiSelect, Select, Stack, Switch, Text } from "@mantine/core";

import type { Attendant, Plan } from "../api/types";
import { TrashIcon } from "../shell/icons";

const PERIODS = [
  { value: "working_time", label: "Working time" },
  { value: "after_hours", label: "After hours" },
  { value: "holiday", label: "Holidays" },
];

type Timed = NonNullable<Attendant["by_time"]>[number];

interface Props {
  attendant: Attendant;
  plan: Plan;
  onChange: (changes: Partial<Attendant>) => void;
}

export function TimesCard({ attendant, plan, onChange }: Props) {
  const menus = attendant.menus.map((menu) => ({ value: menu.menu_id, label: menu.name || menu.menu_id }));
  const schedules = (plan.schedules ?? []).map((one) => ({ value: one.schedule_id, label: one.name }));
  const timed = attendant.by_time ?? [];
  const put = (at: number, changed: Timed) => onChange({ by_time: timed.map((one, index) => (index === at ? changed : one)) });
  const first = schedules[0];
  return (
    <Stack gap="sm">
      <Select
        label="Calls begin with"
        allowDeselect={false}
        data={menus}
        value={attendant.first_menu}
        onChange={(menuId) => onChange({ first_menu: menuId ?? attendant.first_menu })}
      />
      {timed.map((one, at) => (
        <Group key={at} align="flex-end" gap="xs" role="group" aria-label={`Condition ${at + 1}`}>
          <Select
            label="Schedule"
            allowDeselect={false}
            data={schedules}
            value={one.during.schedule_id}
            onChange={(id) => put(at, { ...one, during: { ...one.during, schedule_id: id ?? one.during.schedule_id } })}
          />
          <MultiSelect
            label="During"
            miw={180}
            data={PERIODS}
            value={one.during.periods}
            onChange={(periods) => put(at, { ...one, during: { ...one.during, periods: periods as Timed["during"]["periods"] } })}
          />
          <Select
            label="Begins with"
            allowDeselect={false}
            data={menus}
            value={one.menu_id}
            onChange={(menuId) => put(at, { ...one, menu_id: menuId ?? one.menu_id })}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`Remove condition ${at + 1}`}
            onClick={() => onChange({ by_time: timed.filter((_, index) => index !== at) })}
          >
            <TrashIcon size={16} />
          </ActionIcon>
        </Group>
      ))}
      <Group gap="sm">
        <Button
          size="compact-sm"
          variant="default"
          disabled={!first}
          onClick={() => {
            if (!first) return;
            const during = { schedule_id: first.value, periods: ["after_hours" as const] };
            onChange({ by_time: [...timed, { during, menu_id: attendant.first_menu }] });
          }}
        >
          Another menu at some times
        </Button>
        {first ? null : (
          <Text size="sm" c="dimmed">
            The dial plan has no schedule yet.
          </Text>
        )}
      </Group>
      <Group align="flex-end" gap="md">
        <Select
          label="In special mode"
          clearable
          placeholder="there is none"
          data={menus}
          value={attendant.special_menu ?? null}
          onChange={(menuId) => onChange({ special_menu: menuId, ...(menuId ? {} : { special_mode: false }) })}
        />
        <Switch
          label="Special mode is on"
          disabled={!attendant.special_menu}
          checked={attendant.special_mode ?? false}
          onChange={(event) => onChange({ special_mode: event.currentTarget.checked })}
        />
      </Group>
    </Stack>
  );
}
