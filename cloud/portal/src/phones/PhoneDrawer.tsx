/** One phone: what happened to it, the password of its own administration, and the files that it sent. */
import { Drawer, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

import { api } from "../api/client";
import { useLive, useLiveAll } from "../api/live";
import type { Device, Happening, PhoneUpload } from "../api/types";
import { showMac } from "../devices/mac";
import { State } from "../shell/State";
import { Ago } from "../shell/When";
import { PhonePassword } from "./PhonePassword";
import { PhoneUploads } from "./PhoneUploads";
import { timelineOf } from "./timeline";

interface Props {
  device: Device;
  onClose: () => void;
}

export function PhoneDrawer({ device, onClose }: Props) {
  const path = { device_id: device.id };
  const live = useLive(["device", device.id], (init) => api.GET("/devices/{device_id}", { ...init, params: { path } }));
  const uploads = useLiveAll<PhoneUpload>(["phone-uploads", device.id], (init, cursor) =>
    api.GET("/phone-uploads", { ...init, params: { query: { device_id: device.id, limit: 200, cursor } } }),
  );
  const history = useLiveAll<Happening>(["history", device.id], (init, cursor) =>
    api.GET("/devices/{device_id}/history", { ...init, params: { path, query: { limit: 200, cursor } } }),
  );
  const now = live.data ?? device;
  const happened = timelineOf(now, history.data ?? []);
  return (
    <Drawer
      opened
      onClose={onClose}
      title={device.name || showMac(device.mac)}
      position="right"
      size="lg"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Stack gap="xl">
        {now.visit?.switch_port || now.serial ? (
          <Text size="sm">
            {[now.visit?.switch_port ? `At port ${now.visit.switch_port}` : "", now.serial ? `Serial number ${now.serial}` : ""]
              .filter(Boolean)
              .join(". ")}
          </Text>
        ) : null}
        <Part title="What happened">
          <ul className="happenings" aria-label="What happened">
            {happened.map((one) => (
              <li key={one.key}>
                <State tone={one.tone} label={one.label} />
                <Text size="sm" c="dimmed">
                  <Ago at={one.at} />
                  {one.detail ? `. ${one.detail}` : ""}
                </Text>
              </li>
            ))}
          </ul>
        </Part>
        <Part title="Administrator's password">
          <PhonePassword device={now} />
        </Part>
        <Part title="Files it sent">
          <PhoneUploads uploads={uploads.data ?? []} />
        </Part>
      </Stack>
    </Drawer>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <Title order={3} size="h5" mb="xs">
        {title}
      </Title>
      {children}
    </section>
  );
}
