/** How well the sides of a call were heard: a word, and the figures that it comes from. */
import { Group, List, Text } from "@mantine/core";

import { api } from "../api/client";
import { useLive } from "../api/live";
import type { CallDetail, CallRecord } from "../api/types";
import { Loaded } from "../shell/Page";
import { State } from "../shell/State";
import { figuresOf, qualityState, whoseOf } from "./qualityText";

export function Quality({ call }: { call: CallRecord }) {
  const detail = useLive<CallDetail>(
    ["call", call.id],
    (init) => api.GET("/calls/{record_id}", { ...init, params: { path: { record_id: call.id } } }),
    { poll: false },
  );
  return (
    <Loaded query={detail}>
      {({ quality }) =>
        quality.length === 0 ? (
          <Text size="sm" c="dimmed" mt={6}>
            Nobody measured how this call was heard: its media went from phone to phone, and the phones told nothing.
          </Text>
        ) : (
          <List size="sm" listStyleType="none" mt={6} aria-label="How well it was heard">
            {quality.map((told, place) => (
              <List.Item key={place}>
                <Group gap="sm">
                  <State {...qualityState(told)} />
                  <Text size="sm">{whoseOf(told)}</Text>
                  <Text size="sm" c="dimmed">
                    {figuresOf(told)}
                  </Text>
                </Group>
              </List.Item>
            ))}
          </List>
        )
      }
    </Loaded>
  );
}
