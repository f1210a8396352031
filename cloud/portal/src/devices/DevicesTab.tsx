/** A site's phones with their live registration. */
import { Anchor, Button, Group, Text } from "@mantine/core";
import { useMemo, useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { Device, LineWithPassword, Site } from "../api/types";
import { PhoneDrawer } from "../phones/PhoneDrawer";
import { Confirm } from "../shell/Confirm";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { PlusIcon } from "../shell/icons";
import { tellDone } from "../shell/notices";
import { RegistrationState } from "../users/RegistrationState";
import { LineSecret } from "../users/UserLines";
import { useRegistrations, useUsers } from "../users/useUsers";
import { DeviceForm } from "./DeviceForm";
import { ImportDrawer } from "./ImportDrawer";
import { RedirectState } from "./RedirectState";
import { ResyncDrawer } from "./ResyncDrawer";
import { VisitState } from "./VisitState";
import { showMac } from "./mac";
import { useDeviceModels, useDevices } from "./useDevices";

export function DevicesTab({ site }: { site: Site }) {
  const devices = useDevices(site.id);
  const models = useDeviceModels(site.tenant_id);
  const users = useUsers(site.id, { poll: false });
  const registrations = useRegistrations(site.id);
  const [edited, setEdited] = useState<Device | "new" | null>(null);
  const [opened, setOpened] = useState<Device | null>(null);
  const [importing, setImporting] = useState(false);
  const [sending, setSending] = useState(false);
  const [deleted, setDeleted] = useState<Device | null>(null);
  const [made, setMade] = useState<LineWithPassword[]>([]);
  const modelNames = useMemo(
    () => new Map(models.data?.items.map((model) => [model.key, model.label])),
    [models.data],
  );
  const userNames = useMemo(
    () => new Map(users.data?.map((user) => [user.id, user.display_name || user.username])),
    [users.data],
  );

  const columns: Column<Device>[] = [
    {
      title: "Device",
      cell: (device) => (
        <Anchor component="button" type="button" className="row-link" onClick={() => setEdited(device)}>
          {device.name || showMac(device.mac)}
        </Anchor>
      ),
    },
    { title: "MAC address", cell: (device) => <span className="mono">{showMac(device.mac)}</span> },
    { title: "Model", cell: (device) => device.model === "announced/any" ? "as the phone says" : (modelNames.get(device.model) ?? device.model) },
    {
      title: "Lines",
      cell: (device) =>
        device.lines.length === 0 ? (
          <Text c="dimmed" size="sm">
            none
          </Text>
        ) : (
          device.lines.map((line) => line.label || userNames.get(line.user_id) || line.auth_username).join(", ")
        ),
    },
    {
      title: "State",
      cell: (device) => (
        <RegistrationState registrations={registrations.data?.filter((one) => one.device_id === device.id) ?? []} />
      ),
    },
    {
      title: "Files",
      cell: (device) => (
        <>
          <VisitState device={device} />
          <RedirectState device={device} />
        </>
      ),
    },
    {
      title: "",
      align: "right",
      cell: (device) => (
        <RowActions
          name={device.name || showMac(device.mac)}
          onOpen={() => setOpened(device)}
          onEdit={() => setEdited(device)}
          onDelete={() => setDeleted(device)}
        />
      ),
    },
  ];
  const sendButton = (
    <Button variant="default" onClick={() => setSending(true)}>
      Send profiles
    </Button>
  );
  const importButton = (
    <Button variant="default" onClick={() => setImporting(true)}>
      Import list
    </Button>
  );
  const newButton = (
    <Button leftSection={<PlusIcon size={16} />} onClick={() => setEdited("new")}>
      New device
    </Button>
  );
  return (
    <>
      <Loaded query={devices}>
        {(all) =>
          all.length === 0 ? (
            <div className="card">
              <Empty
                title="No devices yet"
                action={
                  <Group gap="xs">
                    {importButton}
                    {newButton}
                  </Group>
                }
              >
                A device is a phone that the site's edge configures, known by its MAC address. Plug one in and it also
                appears under “Unknown phones”.
              </Empty>
            </div>
          ) : (
            <>
              <Group justify="flex-end" mb="sm">
                {importButton}
                {sendButton}
                {newButton}
              </Group>
              <DataTable label="Devices" columns={columns} rows={all} rowKey={(device) => device.id} />
            </>
          )
        }
      </Loaded>
      {edited !== null ? (
        <DeviceForm
          site={site}
          device={edited === "new" ? undefined : edited}
          onMade={setMade}
          onClose={() => setEdited(null)}
        />
      ) : null}
      {opened ? <PhoneDrawer device={opened} onClose={() => setOpened(null)} /> : null}
      {importing ? <ImportDrawer site={site} onClose={() => setImporting(false)} /> : null}
      {sending ? (
        <ResyncDrawer
          site={site}
          phones={devices.data?.filter((device) => device.model !== "announced/any").length ?? 0}
          onClose={() => setSending(false)}
        />
      ) : null}
      {made.length > 0 ? <LineSecret lines={made} onClose={() => setMade([])} /> : null}
      {deleted ? (
        <Confirm
          title={`Delete ${deleted.name || showMac(deleted.mac)}?`}
          action="Delete device"
          run={async () => {
            const params = { path: { device_id: deleted.id }, header: ifMatch(deleted.version) };
            await bodyOf(api.DELETE("/devices/{device_id}", { params }));
            await refresh(["devices", site.id]);
            tellDone("The device was deleted");
          }}
          onClose={() => setDeleted(null)}
        >
          Its lines are deleted with it: it can no longer register or fetch its configuration.
        </Confirm>
      ) : null}
    </>
  );
}
