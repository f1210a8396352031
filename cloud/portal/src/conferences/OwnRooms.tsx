/** A user's conference rooms: their numbers, and the PINs that the user sets. */
import { Button, Fieldset, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { api } from "../api/client";
import { useLive } from "../api/live";
import type { ConferenceRooms, ConferenceRoomState, User } from "../api/types";
import { useDialPlan } from "../dialplan/useDialPlan";
import { PinsForm } from "./PinsForm";
import { pinsText, roomsOf } from "./rooms";

/** For the user: every room of which he is the owner. */
export function OwnRooms({ siteId }: { siteId: string }) {
  const rooms = useLive<ConferenceRooms>(
    ["conference-rooms", siteId],
    (init) => api.GET("/sites/{site_id}/conference-rooms", { ...init, params: { path: { site_id: siteId } } }),
    { poll: false },
  );
  const [opened, setOpened] = useState<ConferenceRoomState | null>(null);
  if (!rooms.data?.items.length) return null;
  return (
    <Fieldset legend="Conference rooms" miw={0}>
      <Stack gap="xs">
        {rooms.data.items.map((room) => (
          <Group key={room.room_id} justify="space-between" gap="xs">
            <Text size="sm">
              <span className="mono">{room.extension}</span> {room.name}; PINs: {pinsText(room)}
            </Text>
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => setOpened(room)}
              aria-label={`Set the PINs of ${room.name}`}
            >
              PINs
            </Button>
          </Group>
        ))}
      </Stack>
      {opened ? (
        <PinsForm siteId={siteId} roomId={opened.room_id} name={opened.name} onClose={() => setOpened(null)} />
      ) : null}
    </Fieldset>
  );
}

/** For administrators: the room that each user has, where the site has such. */
export function RoomOfUser({ user }: { user: User }) {
  const plan = useDialPlan(user.site_id);
  const [open, setOpen] = useState(false);
  const rooms = plan.data ? roomsOf(plan.data.document).find((one) => one.kind === "user_conferences" && one.enabled) : undefined;
  if (!rooms || !user.extension || !user.enabled) return null;
  const name = `conference ${rooms.extension}${user.extension}`;
  return (
    <Fieldset legend="Conference room" miw={0}>
      <Group justify="space-between" gap="xs">
        <Text size="sm">
          Number <span className="mono">{`${rooms.extension}${user.extension}`}</span>
        </Text>
        <Button size="compact-sm" variant="default" onClick={() => setOpen(true)} aria-label={`Set the PINs of ${name}`}>
          PINs
        </Button>
      </Group>
      {open ? <PinsForm siteId={user.site_id} roomId={user.id} name={name} onClose={() => setOpen(false)} /> : null}
    </Fieldset>
  );
}
