/** The lines of a device: whose they are, another one, and new passwords. */
import { Button, Group, Select, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh, useLive } from "../api/live";
import type { Device, LineWithPassword, User } from "../api/types";
import { tellProblem } from "../shell/notices";

interface Props {
  device: Device;
  users: readonly User[];
  /** How many lines the model has. */
  capacity: number | undefined;
  onMade: (lines: LineWithPassword[]) => void;
}

export function DeviceLines({ device, users, capacity, onMade }: Props) {
  const [chosen, setChosen] = useState<string | null>(null);
  const path = { device_id: device.id };
  const live = useLive(["device", device.id], (init) => api.GET("/devices/{device_id}", { ...init, params: { path } }));
  const lines = live.data?.lines ?? device.lines;
  const nameOf = (id: string) => {
    const user = users.find((one) => one.id === id);
    return user ? [user.extension, user.display_name || user.username].filter(Boolean).join(" ") : "";
  };
  const refreshLines = () => refresh(["device", device.id], ["devices", device.site_id]);
  const add = async (user_id: string) => {
    const line = await bodyOf(api.POST("/lines", { body: { user_id, device_id: device.id, label: "" } }));
    onMade([line]);
    setChosen(null);
    await refreshLines();
  };
  const rotate = async (line_id: string) => {
    onMade([await bodyOf(api.POST("/lines/{line_id}/password", { params: { path: { line_id } } }))]);
    await refreshLines();
  };
  const remove = async (line_id: string) => {
    await bodyOf(api.DELETE("/lines/{line_id}", { params: { path: { line_id } } }));
    await refreshLines();
  };
  return (
    <Stack gap="xs">
      <Text size="sm" fw={560}>
        Lines{capacity ? ` (${lines.length} of ${capacity})` : ""}
      </Text>
      {lines.map((line) => (
        <Group key={line.id} justify="space-between" wrap="nowrap">
          <div>
            <Text size="sm">
              {line.position}. {line.label || nameOf(line.user_id)}
            </Text>
            <Text size="xs" c="dimmed" className="mono wrap-anywhere">
              {line.auth_username}
            </Text>
          </div>
          <Group gap={4} wrap="nowrap">
            <Button size="compact-sm" variant="subtle" onClick={() => void rotate(line.id).catch(tellProblem)}>
              New password
            </Button>
            <Button size="compact-sm" variant="subtle" color="red" c="red" onClick={() => void remove(line.id).catch(tellProblem)}>
              Remove
            </Button>
          </Group>
        </Group>
      ))}
      {capacity !== undefined && lines.length >= capacity ? null : (
        <Group wrap="nowrap" align="flex-end">
          <Select
            aria-label="User of another line"
            placeholder="Add a line for…"
            searchable
            clearable
            flex={1}
            data={users.map((user) => ({ value: user.id, label: nameOf(user.id) }))}
            value={chosen}
            onChange={setChosen}
          />
          <Button
            variant="default"
            disabled={chosen === null}
            onClick={() => {
              if (chosen) void add(chosen).catch(tellProblem);
            }}
          >
            Add line
          </Button>
        </Group>
      )}
    </Stack>
  );
}
