/** The password of a phone's own administration: make or set one, see it, or leave the phone the one it has. */
import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh } from "../api/live";
import { ProblemError, problemAt } from "../api/problem";
import type { Device } from "../api/types";
import { Copyable } from "../shell/Copyable";
import { tellDone, tellProblem } from "../shell/notices";

export function PhonePassword({ device }: { device: Device }) {
  const [shown, setShown] = useState<string | null>(null);
  const [own, setOwn] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | undefined>();
  const params = { path: { device_id: device.id } };
  const refreshDevice = () => refresh(["device", device.id], ["devices", device.site_id]);
  const set = async (password: string | null) => {
    setProblem(undefined);
    try {
      const made = await bodyOf(api.POST("/devices/{device_id}/admin-password", { params, body: { password } }));
      setOwn(null);
      setShown(password === null ? made.password : null);
      tellDone("The phone gets its password with its file");
      await refreshDevice();
    } catch (error) {
      const at = error instanceof ProblemError ? problemAt(error.fields, "password") : undefined;
      if (at === undefined) tellProblem(error);
      setProblem(at);
    }
  };
  const reveal = async () => {
    setShown((await bodyOf(api.POST("/devices/{device_id}/admin-password/reveal", { params }))).password);
  };
  const remove = async () => {
    await bodyOf(api.DELETE("/devices/{device_id}/admin-password", { params }));
    setShown(null);
    await refreshDevice();
  };
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed">
        {device.has_admin_password
          ? "The phone's own pages and menus ask for a password that its file tells it. Who sees it is in the audit."
          : "The phone's file says nothing about it: its own pages and menus keep the password that they have, such as the factory's."}
      </Text>
      {shown !== null ? <Copyable label="Administrator's password" text={shown} /> : null}
      {own !== null ? (
        <Group align="flex-start" gap="xs">
          <TextInput
            label="New password"
            description="8 to 32 letters, digits and signs"
            classNames={{ input: "mono" }}
            autoComplete="off"
            autoCapitalize="none"
            value={own}
            error={problem}
            onChange={(event) => setOwn(event.currentTarget.value)}
            style={{ flex: 1 }}
          />
        </Group>
      ) : null}
      <Group gap="xs">
        {own === null ? (
          <>
            {device.has_admin_password && shown === null ? (
              <Button size="compact-sm" variant="default" onClick={() => void reveal().catch(tellProblem)}>
                Show password
              </Button>
            ) : null}
            <Button size="compact-sm" variant="default" onClick={() => void set(null)}>
              Make a new password
            </Button>
            <Button size="compact-sm" variant="default" onClick={() => setOwn("")}>
              Set one
            </Button>
            {device.has_admin_password ? (
              <Button size="compact-sm" variant="subtle" color="red" c="red" onClick={() => void remove().catch(tellProblem)}>
                Remove password
              </Button>
            ) : null}
          </>
        ) : (
          <>
            <Button size="compact-sm" onClick={() => void set(own)}>
              Set password
            </Button>
            <Button size="compact-sm" variant="default" onClick={() => setOwn(null)}>
              Cancel
            </Button>
          </>
        )}
      </Group>
    </Stack>
  );
}
