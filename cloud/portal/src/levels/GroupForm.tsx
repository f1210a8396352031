/** Making or changing a device group: its name, how heavy it is, and which devices are in it. */
import { MultiSelect, NumberInput, TextInput } from "@mantine/core";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { Device, DeviceGroup, Site } from "../api/types";
import { showMac } from "../devices/mac";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";

interface Values {
  name: string;
  weight: number;
  device_ids: string[];
}

interface Props {
  site: Site;
  devices: readonly Device[];
  group?: DeviceGroup;
  onMade: (group: DeviceGroup) => void;
  onClose: () => void;
}

function valuesOf({ name, weight, device_ids }: DeviceGroup): Values {
  return { name, weight, device_ids };
}

export function GroupForm({ site, devices, group, onMade, onClose }: Props) {
  const draft = useDraft<Values>({
    initial: group ? valuesOf(group) : { name: "", weight: 0, device_ids: [] },
    version: group?.version,
    save: async (values, changes, version) => {
      if (group) {
        const params = { path: { group_id: group.id }, header: ifMatch(version) };
        await bodyOf(api.PATCH("/device-groups/{group_id}", { params, body: changes }));
      } else {
        onMade(await bodyOf(api.POST("/device-groups", { body: { ...values, tenant_id: site.tenant_id, settings: {} } })));
      }
      await refresh(["device-groups"], ["device-settings"], ["devices"]);
      tellDone(group ? "The group was saved" : "The group was created");
      onClose();
    },
    reload: async () => {
      const params = { path: { group_id: group?.id ?? "" } };
      const saved = await bodyOf(api.GET("/device-groups/{group_id}", { params }));
      return { values: valuesOf(saved), version: saved.version };
    },
  });
  const here = new Set(devices.map((device) => device.id));
  const chosen = draft.values.device_ids;
  const elsewhere = chosen.filter((id) => !here.has(id));
  return (
    <FormDrawer
      title={group ? `Edit ${group.name}` : "New device group"}
      saveLabel={group ? "Save" : "Create group"}
      draft={draft}
      onClose={onClose}
    >
      <TextInput label="Name" placeholder="Warehouse handsets" data-autofocus {...draft.text("name")} />
      <NumberInput
        label="Weight"
        description="Where groups of one device contradict each other, the heaviest wins"
        min={0}
        max={10_000}
        allowDecimal={false}
        clampBehavior="none"
        value={draft.values.weight}
        error={draft.problemAt("weight")}
        onChange={(value) => draft.set({ weight: typeof value === "number" ? value : 0 })}
      />
      <MultiSelect
        label="Devices of this site"
        description={elsewhere.length > 0 ? `${elsewhere.length} at the tenant's other sites stay in it` : undefined}
        searchable
        clearable
        data={devices.map((device) => ({ value: device.id, label: device.name || showMac(device.mac) }))}
        value={chosen.filter((id) => here.has(id))}
        error={draft.problemAt("device_ids")}
        onChange={(ids) => draft.set({ device_ids: [...elsewhere, ...ids] })}
      />
    </FormDrawer>
  );
}
