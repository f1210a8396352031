/** Whom a user is called back for once he is free; each can be cancelled. */
import { Button, Group, Stack, Text, Title } from "@mantine/core";

import { api, bodyOf } from "../api/client";
import { refresh, useLive } from "../api/live";
import { tellDone } from "../shell/notices";

export function CallBacks({ userId }: { userId: string }) {
  const key = ["call-backs", userId];
  const waiting = useLive(key, (init) =>
    api.GET("/users/{user_id}/call-backs", { ...init, params: { path: { user_id: userId } } }),
  );
  if (!waiting.data?.items.length) return null;

  const cancel = async (otherId: string, name: string) => {
    const params = { path: { user_id: userId, other_id: otherId } };
    await bodyOf(api.DELETE("/users/{user_id}/call-backs/{other_id}", { params }));
    await refresh(key);
    tellDone(`You are not called back for ${name} any more`);
  };
  return (
    <Stack gap="xs" component="section" aria-label="Call-backs">
      <Title order={3} fz="sm">
        Call-backs
      </Title>
      {waiting.data.items.map((one) => {
        const name = one.display_name || one.username;
        return (
          <Group key={one.user_id} justify="space-between">
            <Text size="sm">
              Your phone rings once {name} ({one.extension ?? one.username}) is free, until{" "}
              {new Date(one.until).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}.
            </Text>
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => void cancel(one.user_id, name)}
              aria-label={`Cancel the call-back for ${name}`}
            >
              Cancel
            </Button>
          </Group>
        );
      })}
    </Stack>
  );
}
