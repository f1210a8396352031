/** One schedule: its hours beside the week that they make, and its holidays. */
import { ActionIcon, Button, Checkbox, Fieldset, Group, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import type { Schedule, Site } from "../api/types";
import { TrashIcon } from "../shell/icons";
import { HoursList } from "./HoursList";
import { PlanPanel } from "./PlanPanel";
import { WeekHours } from "./WeekHours";
import { wrongWith, type Holiday } from "./hours";

interface Props {
  site: Site;
  schedule: Schedule;
  isNew: boolean;
  onClose: () => void;
  onDone: (schedule: Schedule) => void;
}

export function SchedulePanel({ site, schedule, isNew, onClose, onDone }: Props) {
  const [draft, setDraft] = useState(schedule);
  const set = (changes: Partial<Schedule>) => setDraft((before) => ({ ...before, ...changes }));
  const [hours, holidays] = [draft.hours ?? [], draft.holidays ?? []];
  return (
    <PlanPanel
      title={isNew ? "New schedule" : `Schedule ${schedule.name}`}
      action={isNew ? "Add schedule" : "Take over"}
      check={() => wrongWith(draft)}
      onClose={onClose}
      onDone={() => onDone(draft)}
    >
      <TextInput label="Name" value={draft.name} onChange={(event) => set({ name: event.currentTarget.value })} />
      <Text size="sm" c="dimmed">
        Times are those of the clock on the wall in {site.time_zone}, in summer and in winter.
      </Text>
      <WeekHours hours={hours} name={draft.name} />
      <HoursList hours={hours} onChange={(changed) => set({ hours: changed })} />
      <Fieldset legend="Holidays" miw={0}>
        <Stack gap="sm">
          {holidays.length === 0 ? (
            <Text size="sm" c="dimmed">
              None yet. On a holiday nobody works, whatever the hours say.
            </Text>
          ) : null}
          {holidays.map((one, place) => (
            <HolidayFields
              key={place}
              place={place}
              holiday={one}
              onChange={(changed) => set({ holidays: holidays.map((other, at) => (at === place ? changed : other)) })}
              onRemove={() => set({ holidays: holidays.filter((_, at) => at !== place) })}
            />
          ))}
          <Group>
            <Button
              variant="default"
              size="compact-sm"
              onClick={() => set({ holidays: [...holidays, { day: "", every_year: true, name: "" }] })}
            >
              Add a holiday
            </Button>
          </Group>
        </Stack>
      </Fieldset>
    </PlanPanel>
  );
}

interface HolidayProps {
  place: number;
  holiday: Holiday;
  onChange: (holiday: Holiday) => void;
  onRemove: () => void;
}

function HolidayFields({ place, holiday, onChange, onRemove }: HolidayProps) {
  return (
    <Group align="flex-end" gap="sm">
      <TextInput
        type="date"
        label={`Day of holiday ${place + 1}`}
        value={holiday.day}
        onChange={(event) => onChange({ ...holiday, day: event.currentTarget.value })}
      />
      <TextInput
        label={`Name of holiday ${place + 1}`}
        value={holiday.name ?? ""}
        onChange={(event) => onChange({ ...holiday, name: event.currentTarget.value })}
        flex={1}
        miw={140}
      />
      <Checkbox
        label="Every year"
        aria-label={`Holiday ${place + 1} is every year`}
        pb={8}
        checked={holiday.every_year ?? false}
        onChange={(event) => onChange({ ...holiday, every_year: event.currentTarget.checked })}
      />
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Remove holiday ${place + 1}`} onClick={onRemove}>
        <TrashIcon size={16} />
      </ActionIcon>
    </Group>
  );
}
