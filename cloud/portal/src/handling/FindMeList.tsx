/** Further places that ring for a user, in their order. */
import { ActionIcon, Button, Group, NumberInput, Select, SimpleGrid, Stack, Switch, TextInput } from "@mantine/core";

import type { FindMe } from "../api/types";
import type { Draft } from "../forms/useDraft";
import { moved } from "../dialplan/plan";
import { TrashIcon, UpIcon } from "../shell/icons";
import type { HandlingValues } from "./handling";

const MOST = 20;
const ORDERS: { value: FindMe["order"]; label: string }[] = [
  { value: "if_no_response", label: "After what is above" },
  { value: "at_the_same_time", label: "Together with it" },
];

export function FindMeList({ draft }: { draft: Draft<HandlingValues> }) {
  const places = draft.values.find_me;
  const put = (at: number, changes: Partial<FindMe>) =>
    draft.set({ find_me: places.map((one, place) => (place === at ? { ...one, ...changes } : one)) });
  return (
    <Stack gap="sm">
      {places.map((place, at) => (
        <Stack key={at} gap="xs" className="find-me" role="group" aria-label={`Place ${at + 1}`}>
          <SimpleGrid cols={{ base: 1, xs: 3 }}>
            <TextInput
              label="Number"
              value={place.destination}
              error={draft.problemAt(`find_me.${at}.destination`)}
              onChange={(event) => put(at, { destination: event.currentTarget.value.trim() })}
            />
            <Select
              label="Rings"
              data={ORDERS}
              allowDeselect={false}
              value={place.order}
              onChange={(order) => put(at, { order: (order ?? "if_no_response") as FindMe["order"] })}
            />
            <NumberInput
              label="Seconds"
              min={1}
              max={600}
              allowDecimal={false}
              disabled={place.order === "at_the_same_time"}
              value={place.seconds}
              error={draft.problemAt(`find_me.${at}.seconds`)}
              onChange={(seconds) => put(at, { seconds: Number(seconds) || 20 })}
            />
          </SimpleGrid>
          <Group justify="space-between">
            <Group gap="lg" align="flex-start">
              <Switch
                label={place.during ? "On, by its schedule" : "On"}
                checked={place.enabled}
                onChange={(event) => put(at, { enabled: event.currentTarget.checked })}
              />
              <Switch
                label="Ask for a key"
                description="Whoever answers beyond the site presses 1 first"
                checked={place.confirm}
                onChange={(event) => put(at, { confirm: event.currentTarget.checked })}
              />
            </Group>
            <Group gap={2}>
              <ActionIcon
                variant="subtle"
                color="gray"
                disabled={at === 0}
                aria-label={`Move place ${at + 1} up`}
                onClick={() => draft.set({ find_me: moved(places, at, at - 1) })}
              >
                <UpIcon size={16} />
              </ActionIcon>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={`Remove place ${at + 1}`}
                onClick={() => draft.set({ find_me: places.filter((_, place) => place !== at) })}
              >
                <TrashIcon size={16} />
              </ActionIcon>
            </Group>
          </Group>
        </Stack>
      ))}
      <Group>
        <Button
          variant="default"
          size="compact-sm"
          disabled={places.length >= MOST}
          onClick={() =>
            draft.set({ find_me: [...places, { destination: "", order: "if_no_response", seconds: 20, enabled: true, confirm: false }] })
          }
        >
          Add a place
        </Button>
      </Group>
    </Stack>
  );
}
