/** A user's numbers under short ones. */
import { ActionIcon, Button, Group, Stack, TextInput } from "@mantine/core";

import type { SpeedDial } from "../api/types";
import type { Draft } from "../forms/useDraft";
import { TrashIcon } from "../shell/icons";
import type { HandlingValues } from "./handling";

export function SpeedDials({ draft }: { draft: Draft<HandlingValues> }) {
  const dials = draft.values.speed_dials;
  const put = (at: number, changes: Partial<SpeedDial>) =>
    draft.set({ speed_dials: dials.map((one, place) => (place === at ? { ...one, ...changes } : one)) });
  const free = () => {
    const taken = dials.map((one) => one.slot);
    return Array.from({ length: 100 }, (_, slot) => String(slot)).find((slot) => !taken.includes(slot)) ?? "";
  };
  return (
    <Stack gap="xs">
      {dials.map((dial, at) => (
        <Group key={at} gap="xs" align="flex-end" wrap="nowrap" role="group" aria-label={`Speed dial ${at + 1}`}>
          {(
            [
              ["slot", "Short", 72],
              ["destination", "Number", undefined],
              ["name", "Name", undefined],
            ] as const
          ).map(([name, label, width]) => (
            <TextInput
              key={name}
              label={at === 0 ? label : undefined}
              aria-label={label}
              value={dial[name]}
              error={draft.problemAt(`speed_dials.${at}.${name}`)}
              onChange={(event) => put(at, { [name]: event.currentTarget.value })}
              w={width}
              flex={width ? "none" : 1}
              miw={0}
            />
          ))}
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={`Remove speed dial ${at + 1}`}
            onClick={() => draft.set({ speed_dials: dials.filter((_, place) => place !== at) })}
          >
            <TrashIcon size={16} />
          </ActionIcon>
        </Group>
      ))}
      <Group>
        <Button
          variant="default"
          size="compact-sm"
          onClick={() => draft.set({ speed_dials: [...dials, { slot: free(), destination: "", name: "" }] })}
        >
          Add a speed dial
        </Button>
      </Group>
    </Stack>
  );
}
