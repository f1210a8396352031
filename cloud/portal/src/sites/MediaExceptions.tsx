/** Users and devices whose media goes another way than the site's. */
import { Button, Group, Select, Stack, Text } from "@mantine/core";

import type { Site, SipRules } from "../api/types";
import { useDevices } from "../devices/useDevices";
import { useUsers } from "../users/useUsers";
import { RELAY_MEDIA } from "./sipPolicy";

type Exception = SipRules["media_exceptions"][number];

interface ExceptionsProps {
  site: Site;
  exceptions: readonly Exception[];
  error: string | undefined;
  set: (exceptions: Exception[]) => void;
}

/** Whom an exception is for, as one word that the selection can hold. */
function keyOf(exception: Exception): string {
  return exception.device_id ? `device:${exception.device_id}` : `user:${exception.user_id ?? ""}`;
}

export function MediaExceptions({ site, exceptions, error, set }: ExceptionsProps) {
  const users = useUsers(site.id, { poll: false });
  const devices = useDevices(site.id);
  const data = [
    {
      group: "Users",
      items: (users.data ?? []).map((one) => ({ value: `user:${one.id}`, label: one.display_name || one.username })),
    },
    {
      group: "Devices",
      items: (devices.data ?? []).map((one) => ({ value: `device:${one.id}`, label: one.name || one.mac })),
    },
  ];
  const taken = new Set(exceptions.map(keyOf));
  const change = (at: number, changes: Partial<Exception>) =>
    set(exceptions.map((one, place) => (place === at ? { ...one, ...changes } : one)));
  return (
    <Stack gap="xs">
      {exceptions.map((one, at) => (
        <Group key={keyOf(one)} grow align="flex-end" wrap="nowrap">
          <Select label="Of" data={data} value={keyOf(one)} disabled />
          <Select
            label="Media through the edge"
            data={RELAY_MEDIA}
            allowDeselect={false}
            value={one.relay_media}
            onChange={(chosen) => change(at, { relay_media: (chosen ?? "always") as Exception["relay_media"] })}
          />
          <Button
            variant="subtle"
            color="red"
            onClick={() => set(exceptions.filter((_, place) => place !== at))}
            aria-label="Remove this exception"
          >
            Remove
          </Button>
        </Group>
      ))}
      <Select
        label="Media of somebody goes another way"
        placeholder="Choose a user or a device"
        searchable
        data={data.map(({ group, items }) => ({ group, items: items.filter((item) => !taken.has(item.value)) }))}
        value={null}
        onChange={(chosen) => {
          if (!chosen) return;
          const [kind, id = ""] = chosen.split(":");
          const whom = kind === "device" ? { user_id: null, device_id: id } : { user_id: id, device_id: null };
          set([...exceptions, { ...whom, relay_media: "always" }]);
        }}
      />
      {error ? (
        <Text size="sm" c="red">
          {error}
        </Text>
      ) : null}
    </Stack>
  );
}
