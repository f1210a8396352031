/** What is set for many phones at once: for the tenant, the site or a device group, and for which models. */
import { Alert, Button, Group, Loader, Select, Stack, Text } from "@mantine/core";
import { useCallback, useMemo, useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { DeviceGroup, Site } from "../api/types";
import { useDeviceModels, useDevices } from "../devices/useDevices";
import { Confirm } from "../shell/Confirm";
import { PlusIcon } from "../shell/icons";
import { tellDone } from "../shell/notices";
import { useTenants } from "../tenants/useTenants";
import { GroupForm } from "./GroupForm";
import { LevelForm, type ScopePatch } from "./LevelForm";
import { countAt, inheritanceAt, type LevelBelow, type LevelSettings } from "./levels";
import { useDeviceGroups, useScopeSettings, useSiteSettings, useTenantSettings } from "./useLevels";

/** `tenant`, `site`, or a group's id. */
type LevelKey = string;

export function LevelsTab({ site }: { site: Site }) {
  const tenants = useTenants();
  const tenantName = tenants.data?.find((one) => one.id === site.tenant_id)?.name ?? "";
  const tenant = useTenantSettings(site.tenant_id);
  const own = useSiteSettings(site.id);
  const groups = useDeviceGroups(site.tenant_id);
  const devices = useDevices(site.id);
  const models = useDeviceModels(site.tenant_id);
  const [level, setLevel] = useState<LevelKey>("site");
  const [scope, setScope] = useState("*");
  const [touched, setTouched] = useState(false);
  const [round, setRound] = useState(0);
  const [edited, setEdited] = useState<DeviceGroup | "new" | null>(null);
  const [deleted, setDeleted] = useState<DeviceGroup | null>(null);
  const offered = useScopeSettings(scope, site.tenant_id);
  const onTouched = useCallback((value: boolean) => setTouched(value), []);

  const group = groups.data?.find((one) => one.id === level);
  const below: LevelBelow[] = useMemo(() => {
    const steps = [{ name: `tenant ${tenantName}`, settings: (tenant.data?.settings ?? {}) as LevelSettings }];
    if (level !== "site" && level !== "tenant") {
      steps.unshift({ name: `site ${site.name}`, settings: (own.data?.settings ?? {}) as LevelSettings });
    }
    return level === "tenant" ? [] : steps;
  }, [level, tenantName, tenant.data, own.data, site.name]);
  const current = level === "tenant" ? tenant.data : level === "site" ? own.data : group;
  const name = level === "tenant" ? `tenant ${tenantName}` : level === "site" ? `site ${site.name}` : `group ${group?.name ?? ""}`;

  const read = async () => {
    if (level === "tenant") {
      return bodyOf(api.GET("/tenants/{tenant_id}/device-settings", { params: { path: { tenant_id: site.tenant_id } } }));
    }
    if (level === "site") {
      return bodyOf(api.GET("/sites/{site_id}/device-settings", { params: { path: { site_id: site.id } } }));
    }
    return bodyOf(api.GET("/device-groups/{group_id}", { params: { path: { group_id: level } } }));
  };
  const save = async (patch: ScopePatch, version: number) => {
    const body = { settings: { [scope]: patch } };
    const header = ifMatch(version);
    const send = () => {
      if (level === "tenant") {
        const params = { path: { tenant_id: site.tenant_id }, header };
        return bodyOf(api.PATCH("/tenants/{tenant_id}/device-settings", { params, body }));
      }
      if (level === "site") {
        const params = { path: { site_id: site.id }, header };
        return bodyOf(api.PATCH("/sites/{site_id}/device-settings", { params, body }));
      }
      return bodyOf(api.PATCH("/device-groups/{group_id}", { params: { path: { group_id: level }, header }, body }));
    };
    const saved = await send();
    tellDone("The settings were saved; phones that they touch fetch their files again");
    await refresh(["device-settings"], ["device-groups"]);
    return saved.version;
  };

  const settings = (current?.settings ?? {}) as LevelSettings;
  const marked = (value: string, label: string) => {
    const count = countAt(settings, value);
    return { value, label: count > 0 ? `${label} (${count} set)` : label };
  };
  const scopes = useMemo(() => {
    const vendors = new Map<string, { label: string; models: { value: string; label: string }[] }>();
    for (const model of models.data?.items ?? []) {
      const vendor = vendors.get(model.vendor) ?? { label: model.vendor_label, models: [] };
      vendor.models.push({ value: model.key, label: model.label });
      vendors.set(model.vendor, vendor);
    }
    return vendors;
  }, [models.data]);
  const scopeData = [
    { group: "All", items: [marked("*", "All models")] },
    { group: "Vendors", items: [...scopes].map(([vendor, { label }]) => marked(vendor, `All of ${label}`)) },
    ...[...scopes].map(([, { label, models: own }]) => ({ group: label, items: own.map((one) => marked(one.value, one.label)) })),
  ];
  const levelData = [
    { group: "Places", items: [
      { value: "tenant", label: `Tenant ${tenantName}: all its sites` },
      { value: "site", label: `Site ${site.name}` },
    ] },
    { group: "Device groups, the heaviest first", items: (groups.data ?? []).map((one) => ({
      value: one.id, label: `${one.name} (weight ${one.weight}, ${one.device_ids.length === 1 ? "1 device" : `${one.device_ids.length} devices`})`,
    })) },
  ];
  return (
    <Stack gap="md">
      <Text>
        A phone takes each value from the nearest place that has one: itself, its device groups, the site, the tenant, then
        its model. What is set here is for every phone below.
      </Text>
      <Group align="flex-end" gap="sm" grow preventGrowOverflow={false}>
        <Select
          label="Set for"
          data={levelData}
          value={level}
          allowDeselect={false}
          disabled={touched}
          onChange={(value) => setLevel(value ?? "site")}
        />
        <Select
          label="Models"
          data={scopeData}
          value={scope}
          searchable
          allowDeselect={false}
          disabled={touched}
          onChange={(value) => setScope(value ?? "*")}
        />
      </Group>
      <Group gap="xs">
        <Button variant="default" size="compact-sm" leftSection={<PlusIcon size={14} />} onClick={() => setEdited("new")}>
          New device group
        </Button>
        {group ? (
          <>
            <Button variant="default" size="compact-sm" onClick={() => setEdited(group)} disabled={touched}>
              Edit group
            </Button>
            <Button variant="subtle" color="red" c="red" size="compact-sm" onClick={() => setDeleted(group)}>
              Delete group
            </Button>
          </>
        ) : null}
      </Group>
      {touched ? <Text size="sm" c="dimmed">Save or discard the changes before going to another level.</Text> : null}
      {offered.error ? <Alert color="red" title={offered.error.message} /> : null}
      {current && offered.data ? (
        <LevelForm
          key={`${level} ${scope} ${round}`}
          scope={scope}
          groups={offered.data.groups}
          settings={settings[scope] ?? {}}
          version={current.version}
          inheritance={inheritanceAt(scope, { name, settings }, below)}
          save={save}
          reload={async () => {
            const saved = await read();
            return { values: (saved.settings as LevelSettings)[scope] ?? {}, version: saved.version };
          }}
          onTouched={onTouched}
          onDiscard={() => setRound((before) => before + 1)}
        />
      ) : offered.error ? null : (
        <Loader aria-label="Loading" />
      )}
      {edited !== null ? (
        <GroupForm
          site={site}
          devices={devices.data ?? []}
          group={edited === "new" ? undefined : edited}
          onMade={(made) => setLevel(made.id)}
          onClose={() => setEdited(null)}
        />
      ) : null}
      {deleted ? (
        <Confirm
          title={`Delete ${deleted.name}?`}
          action="Delete group"
          run={async () => {
            const params = { path: { group_id: deleted.id }, header: ifMatch(deleted.version) };
            await bodyOf(api.DELETE("/device-groups/{group_id}", { params }));
            setLevel("site");
            await refresh(["device-groups"], ["device-settings"], ["devices"]);
            tellDone("The group was deleted");
          }}
          onClose={() => setDeleted(null)}
        >
          Its devices ({deleted.device_ids.length}) stay, without what the group set for them.
        </Confirm>
      ) : null}
    </Stack>
  );
}
