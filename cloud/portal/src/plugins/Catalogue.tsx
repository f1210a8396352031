/** Every model of phone and gateway, Tandem's own and a tenant's, with all that can be set on it. */
import { Anchor, Badge, Group, Select, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import type { DeviceModelSummary } from "../api/types";
import { useDeviceModels } from "../devices/useDevices";
import { DataTable, type Column } from "../shell/DataTable";
import { Loaded } from "../shell/Page";
import { useTenants } from "../tenants/useTenants";
import { ModelDrawer } from "./ModelDrawer";

export function Catalogue() {
  const tenants = useTenants();
  const [tenant, setTenant] = useState<string | null>(null);
  const [vendor, setVendor] = useState<string | null>(null);
  const [search, setSearch] = useState("");
  const [opened, setOpened] = useState<DeviceModelSummary | null>(null);
  const models = useDeviceModels(tenant ?? undefined);
  const columns: Column<DeviceModelSummary>[] = [
    {
      title: "Model",
      cell: (model) => (
        <Anchor component="button" type="button" className="row-link" onClick={() => setOpened(model)}>
          {model.label}
        </Anchor>
      ),
    },
    { title: "Vendor", cell: (model) => model.vendor_label },
    { title: "Lines", cell: (model) => <Badge color="gray">{model.lines}</Badge> },
    { title: "Fetches by", cell: (model) => (model.https ? "HTTPS" : "HTTP or TFTP") },
    { title: "Key", cell: (model) => <span className="mono">{model.key}</span> },
  ];
  return (
    <>
      <Text component="h2" fw={600} mt="md">
        Catalogue
      </Text>
      <Loaded query={models}>
        {(page) => {
          const wanted = search.trim().toLowerCase();
          const vendors = new Map(page.items.map((model) => [model.vendor, model.vendor_label]));
          const rows = page.items.filter(
            (model) =>
              (vendor === null || model.vendor === vendor) &&
              `${model.label} ${model.vendor_label} ${model.key}`.toLowerCase().includes(wanted),
          );
          return (
            <>
              <Group gap="sm" align="flex-end">
                <TextInput
                  label="Find a model"
                  placeholder="T54W"
                  value={search}
                  onChange={(event) => setSearch(event.currentTarget.value)}
                />
                <Select
                  label="Vendor"
                  placeholder="All"
                  clearable
                  searchable
                  data={[...vendors].map(([value, label]) => ({ value, label }))}
                  value={vendor}
                  onChange={setVendor}
                />
                {(tenants.data ?? []).length > 1 ? (
                  <Select
                    label="With the plug-ins of"
                    placeholder="Nobody"
                    clearable
                    searchable
                    data={(tenants.data ?? []).map((one) => ({ value: one.id, label: one.name }))}
                    value={tenant}
                    onChange={setTenant}
                  />
                ) : null}
              </Group>
              <Text size="sm" c="dimmed" role="status">
                {rows.length} of {page.items.length} models
              </Text>
              <DataTable label="Catalogue" columns={columns} rows={rows} rowKey={(model) => model.key} />
            </>
          );
        }}
      </Loaded>
      {opened ? <ModelDrawer model={opened} tenantId={tenant ?? undefined} onClose={() => setOpened(null)} /> : null}
    </>
  );
}
