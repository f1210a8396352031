/** Hours of a week, each with its days, to be edited. */
import { ActionIcon, Button, Chip, Fieldset, Group, Stack, TextInput } from "@mantine/core";

import { TrashIcon } from "../shell/icons";
import { DAYS, clockText, minuteOf, type Hours } from "./hours";

interface Props {
  hours: readonly Hours[];
  onChange: (hours: Hours[]) => void;
}

export function HoursList({ hours, onChange }: Props) {
  return (
    <Stack gap="sm">
      {hours.map((one, place) => (
        <HoursFields
          key={place}
          place={place}
          hours={one}
          onChange={(changed) => onChange(hours.map((other, at) => (at === place ? changed : other)))}
          onRemove={() => onChange(hours.filter((_, at) => at !== place))}
        />
      ))}
      <Group>
        <Button
          variant="default"
          size="compact-sm"
          onClick={() => onChange([...hours, { days: [6], start: 540, end: 720 }])}
        >
          Add hours
        </Button>
      </Group>
    </Stack>
  );
}

interface HoursProps {
  place: number;
  hours: Hours;
  onChange: (hours: Hours) => void;
  onRemove: () => void;
}

function HoursFields({ place, hours, onChange, onRemove }: HoursProps) {
  const time = (name: "start" | "end", text: string) => {
    const minute = minuteOf(text, name === "end");
    if (minute !== undefined) onChange({ ...hours, [name]: minute });
  };
  return (
    <Fieldset legend={`Hours ${place + 1}`} miw={0}>
      <Stack gap="sm">
        <Chip.Group multiple value={hours.days.map(String)} onChange={(days) => onChange({ ...hours, days: days.map(Number).sort() })}>
          <Group gap={6}>
            {DAYS.map((label, day) => (
              <Chip key={label} value={String(day + 1)} size="xs">
                {label}
              </Chip>
            ))}
          </Group>
        </Chip.Group>
        <Group align="flex-end" wrap="nowrap" gap="xs">
          <TextInput
            type="time"
            label="From"
            value={clockText(hours.start ?? 0)}
            onChange={(event) => time("start", event.currentTarget.value)}
            flex={1}
            miw={0}
          />
          <TextInput
            type="time"
            label="Until"
            value={clockText((hours.end ?? 1440) % 1440)}
            onChange={(event) => time("end", event.currentTarget.value)}
            flex={1}
            miw={0}
          />
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Remove hours ${place + 1}`} onClick={onRemove}>
            <TrashIcon size={16} />
          </ActionIcon>
        </Group>
      </Stack>
    </Fieldset>
  );
}
