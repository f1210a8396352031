/** Making or changing a device: what it is, whose it is, and the settings of its model. */
import { Select, TextInput } from "@mantine/core";
import { useMemo } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { Device, LineWithPassword, Site } from "../api/types";
import { useDialPlan } from "../dialplan/useDialPlan";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { useUsers } from "../users/useUsers";
import { DeviceLines } from "./DeviceLines";
import { SettingsEditor } from "./SettingsEditor";
import { showMac, typeMac } from "./mac";
import { inheritanceOf, settingsPatch, type Settings } from "./settings";
import { useDeviceModel, useDeviceModels, useResolvedSettings } from "./useDevices";

interface DeviceValues {
  mac: string;
  model: string | null;
  name: string;
  serial: string;
  user_id: string | null;
  emergency_location_id: string | null;
  settings: Settings;
}

interface Props {
  site: Site;
  device?: Device;
  /** What is known of a phone that is adopted. */
  known?: { mac: string; model: string | null; name: string };
  onMade: (lines: LineWithPassword[]) => void;
  onClose: () => void;
}

function valuesOf(device: Device): DeviceValues {
  const { model, name, serial, settings, emergency_location_id } = device;
  return { mac: showMac(device.mac), model, name, serial, user_id: null, emergency_location_id, settings };
}

export function DeviceForm({ site, device, known, onMade, onClose }: Props) {
  const models = useDeviceModels(site.tenant_id);
  const users = useUsers(site.id, { poll: false });
  const plan = useDialPlan(site.id);
  const draft = useDraft<DeviceValues>({
    initial: device
      ? valuesOf(device)
      : {
          mac: known ? showMac(known.mac) : "",
          model: known?.model ?? null,
          name: known?.name ?? "",
          serial: "",
          user_id: null,
          emergency_location_id: null,
          settings: {},
        },
    version: device?.version,
    save: async (values, changes, version) => {
      if (device) {
        const { user_id: _, settings, model, ...rest } = changes;
        const before = device.version === version ? device.settings : await savedSettings(device.id);
        const body = {
          ...rest,
          ...(model ? { model } : {}),
          ...(settings ? { settings: settingsPatch(before, settings) } : {}),
        };
        const params = { path: { device_id: device.id }, header: ifMatch(version) };
        await bodyOf(api.PATCH("/devices/{device_id}", { params, body }));
        tellDone("The device was saved");
      } else {
        const body = { ...values, model: values.model ?? "", site_id: site.id, group_ids: [], lines: [] };
        const made = await bodyOf(api.POST("/devices", { body }));
        tellDone("The device was created");
        onMade(made.lines);
      }
      await refresh(["devices", site.id], ["unknown-phones", site.id]);
      onClose();
    },
    reload: async () => {
      const saved = await bodyOf(api.GET("/devices/{device_id}", { params: { path: { device_id: device?.id ?? "" } } }));
      return { values: valuesOf(saved), version: saved.version };
    },
  });
  const model = useDeviceModel(draft.values.model, site.tenant_id);
  const resolved = useResolvedSettings(device?.id ?? null);
  const choices = useMemo(() => {
    const vendors = new Map<string, { value: string; label: string }[]>();
    for (const one of models.data?.items ?? []) {
      vendors.set(one.vendor_label, [...(vendors.get(one.vendor_label) ?? []), { value: one.key, label: one.label }]);
    }
    return [...vendors].map(([group, items]) => ({ group, items }));
  }, [models.data]);
  return (
    <FormDrawer
      title={device ? `Edit ${device.name || showMac(device.mac)}` : known ? "Adopt phone" : "New device"}
      saveLabel={device ? "Save" : known ? "Adopt phone" : "Create device"}
      draft={draft}
      onClose={onClose}
    >
      <TextInput
        label="MAC address"
        description="On a label at the phone's bottom"
        placeholder="80:5e:c0:00:02:00"
        classNames={{ input: "mono" }}
        autoCapitalize="none"
        data-autofocus={known ? undefined : true}
        {...draft.text("mac")}
        onChange={(event) => draft.set({ mac: typeMac(event.currentTarget.value) })}
      />
      <Select label="Model" searchable data={choices} {...draft.field("model")} />
      <TextInput label="Name" placeholder="Phone at the reception" {...draft.text("name")} />
      <TextInput
        label="Serial number"
        description="The maker's; Grandstream's redirect service asks for it"
        classNames={{ input: "mono" }}
        autoCapitalize="none"
        {...draft.text("serial")}
      />
      <Select
        label="Emergency location"
        description="Where it stands, for calls for help; empty: at the site’s default place"
        clearable
        placeholder="The default place"
        data={(plan.data?.document.locations ?? []).map((one) => ({ value: one.location_id, label: one.name }))}
        {...draft.field("emergency_location_id")}
      />
      {device ? (
        <DeviceLines device={device} users={users.data ?? []} capacity={model.data?.lines} onMade={onMade} />
      ) : (
        <Select
          label="User"
          description="Gets the first line of this phone"
          searchable
          clearable
          placeholder="Nobody yet"
          data={(users.data ?? []).map((user) => ({
            value: user.id,
            label: [user.extension, user.display_name || user.username].filter(Boolean).join(" "),
          }))}
          {...draft.field("user_id")}
        />
      )}
      {model.data ? (
        <SettingsEditor
          groups={model.data.groups}
          settings={draft.values.settings}
          inheritance={inheritanceOf(resolved.data?.items ?? [])}
          onChange={(settings) => draft.set({ settings })}
          problemAt={(path) => draft.problemAt(`settings.${path}`)}
        />
      ) : null}
    </FormDrawer>
  );
}

async function savedSettings(device_id: string): Promise<Settings> {
  return (await bodyOf(api.GET("/devices/{device_id}", { params: { path: { device_id } } }))).settings;
}
