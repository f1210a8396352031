/** The panel in which the PINs of a room are set; what is set is never shown. */
import { Alert, Button, Group, Modal, PasswordInput, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh, useLive } from "../api/live";
import { ProblemError } from "../api/problem";
import type { ConferenceRoomState } from "../api/types";
import { tellDone } from "../shell/notices";

interface Props {
  siteId: string;
  /** A service's id, or a user's for the own room. */
  roomId: string;
  name: string;
  onClose: () => void;
}

const PINS = [
  { field: "pin", label: "PIN for all who take part", set: "pin_set" },
  { field: "moderator_pin", label: "PIN for moderators", set: "moderator_pin_set" },
] as const;

export function PinsForm({ siteId, roomId, name, onClose }: Props) {
  const params = { path: { site_id: siteId, room_id: roomId } };
  const key = ["conference-rooms", siteId, roomId];
  const room = useLive<ConferenceRoomState>(
    key,
    (init) => api.GET("/sites/{site_id}/conference-rooms/{room_id}", { ...init, params }),
    { poll: false },
  );
  const [typed, setTyped] = useState<{ pin: string; moderator_pin: string }>({ pin: "", moderator_pin: "" });
  const [problems, setProblems] = useState<ReadonlyMap<string, string>>(new Map());
  const [saving, setSaving] = useState(false);

  const save = async (field: "pin" | "moderator_pin", value: string | null) => {
    setSaving(true);
    setProblems(new Map());
    try {
      await bodyOf(api.PATCH("/sites/{site_id}/conference-rooms/{room_id}/pins", { params, body: { [field]: value } }));
      await refresh(["conference-rooms", siteId]);
      setTyped((before) => ({ ...before, [field]: "" }));
      tellDone(value ? "The PIN was set" : "The PIN was taken away");
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblems(error.fields.size ? error.fields : new Map([["", error.detail || error.title]]));
    } finally {
      setSaving(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={`PINs of ${name}`}>
      <Stack>
        {PINS.map(({ field, label, set }) => (
          <Stack key={field} gap={4}>
            <Group align="flex-end" gap="xs">
              <PasswordInput
                label={label}
                description={room.data?.[set] ? "One is set; 4 to 16 digits replace it" : "None is set; 4 to 16 digits"}
                inputMode="numeric"
                autoComplete="off"
                value={typed[field]}
                error={problems.get(field)}
                onChange={(event) => setTyped({ ...typed, [field]: event.currentTarget.value })}
                style={{ flex: 1 }}
              />
              <Button
                variant="default"
                loading={saving}
                disabled={!typed[field]}
                onClick={() => void save(field, typed[field])}
                aria-label={`Set the ${label}`}
              >
                Set
              </Button>
            </Group>
            {room.data?.[set] ? (
              <Group>
                <Button size="compact-xs" variant="subtle" color="red" onClick={() => void save(field, null)}>
                  Take away the {label}
                </Button>
              </Group>
            ) : null}
          </Stack>
        ))}
        {problems.get("") ? (
          <Alert color="red" role="alert">
            {problems.get("")}
          </Alert>
        ) : null}
        <Text size="sm" c="dimmed">
          PINs reach the edge at once, or as soon as it is connected again. They count where the room asks for one.
        </Text>
      </Stack>
    </Modal>
  );
}
