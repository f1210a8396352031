/** Music of single orbits of a park. */
import { Button, CloseButton, Group, Select, Stack, Text } from "@mantine/core";

import type { Park } from "../api/types";
import { choices } from "../sounds/soundText";
import { useSounds } from "../sounds/useSounds";

type OrbitMusic = Park["orbit_music"][number];

interface Props {
  tenantId: string;
  orbits: readonly string[];
  value: readonly OrbitMusic[];
  error?: string;
  onChange: (value: OrbitMusic[]) => void;
}

export function OrbitMusicInput({ tenantId, orbits, value, error, onChange }: Props) {
  const sounds = useSounds(tenantId).data?.items ?? [];
  const free = orbits.filter((orbit) => !value.some((one) => one.orbit === orbit));
  const [orbit] = free;
  const [sound] = sounds;
  const change = (index: number, changed: OrbitMusic) => onChange(value.map((one, at) => (at === index ? changed : one)));
  return (
    <Stack gap="xs">
      {value.map((one, index) => (
        <Group key={one.orbit} align="end" gap="xs" wrap="nowrap">
          <Select
            label="Orbit"
            w={100}
            allowDeselect={false}
            data={[one.orbit, ...free]}
            value={one.orbit}
            onChange={(chosen) => change(index, { ...one, orbit: chosen ?? one.orbit })}
          />
          <Select
            label={`Music in orbit ${one.orbit}`}
            flex={1}
            miw={0}
            searchable
            allowDeselect={false}
            data={choices(sounds, one.music)}
            value={one.music.digest}
            onChange={(digest) => {
              const found = sounds.find((each) => each.digest === digest);
              if (found) change(index, { ...one, music: { digest: found.digest, name: found.name } });
            }}
          />
          <CloseButton
            size="lg"
            aria-label={`No music of its own in orbit ${one.orbit}`}
            onClick={() => onChange(value.filter((_, at) => at !== index))}
          />
        </Group>
      ))}
      {orbit !== undefined && sound ? (
        <Group>
          <Button
            variant="default"
            size="compact-sm"
            onClick={() => onChange([...value, { orbit, music: { digest: sound.digest, name: sound.name } }])}
          >
            Other music in one orbit
          </Button>
        </Group>
      ) : null}
      {error ? (
        <Text size="xs" c="var(--mantine-color-error)">
          {error}
        </Text>
      ) : null}
    </Stack>
  );
}
