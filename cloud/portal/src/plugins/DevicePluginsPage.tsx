/** Which phones can be configured: the models that there are, and a tenant's own device plug-ins. */
import { Badge, Button, Text, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh, useLiveAll } from "../api/live";
import type { DeviceModelSummary, DevicePlugin } from "../api/types";
import { useDeviceModels } from "../devices/useDevices";
import { Confirm } from "../shell/Confirm";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded, Page } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { PlusIcon } from "../shell/icons";
import { tellDone } from "../shell/notices";
import { useTenants } from "../tenants/useTenants";
import { PluginUpload } from "./PluginUpload";

export function DevicePluginsPage() {
  const plugins = useLiveAll<DevicePlugin>(["device-plugins"], (init, cursor) =>
    api.GET("/device-plugins", { ...init, params: { query: { limit: 200, cursor } } }),
  );
  const tenants = useTenants();
  const names = useMemo(() => new Map(tenants.data?.map((tenant) => [tenant.id, tenant.name])), [tenants.data]);
  const [uploading, setUploading] = useState(false);
  const [deleted, setDeleted] = useState<DevicePlugin | null>(null);
  const columns: Column<DevicePlugin>[] = [
    { title: "Plug-in", cell: (plugin) => `${plugin.label} (${plugin.vendor})` },
    { title: "Tenant", cell: (plugin) => names.get(plugin.tenant_id) ?? "" },
    { title: "Models", cell: (plugin) => plugin.models.join(", ") },
    {
      title: "",
      align: "right",
      cell: (plugin) => <RowActions name={plugin.vendor} onDelete={() => setDeleted(plugin)} />,
    },
  ];
  const newButton = (
    <Button leftSection={<PlusIcon size={16} />} onClick={() => setUploading(true)}>
      Upload plug-in
    </Button>
  );
  return (
    <Page title="Device plug-ins" actions={newButton}>
      <Loaded query={plugins}>
        {(all) =>
          all.length === 0 ? (
            <div className="card">
              <Empty title="No plug-ins of your own">
                A plug-in teaches Tandem phones that it does not know: a folder of three files, packed as a ZIP archive.
              </Empty>
            </div>
          ) : (
            <DataTable label="Device plug-ins" columns={columns} rows={all} rowKey={(plugin) => plugin.id} />
          )
        }
      </Loaded>
      <Catalogue />
      {uploading ? <PluginUpload onClose={() => setUploading(false)} /> : null}
      {deleted ? (
        <Confirm
          title="Delete this plug-in?"
          action="Delete plug-in"
          run={async () => {
            const params = { path: { plugin_id: deleted.id }, header: ifMatch(deleted.version) };
            await bodyOf(api.DELETE("/device-plugins/{plugin_id}", { params }));
            await refresh(["device-plugins"], ["device-models"]);
            tellDone("The plug-in was deleted");
          }}
          onClose={() => setDeleted(null)}
        >
          {deleted.label} and its models are no longer there to choose from.
        </Confirm>
      ) : null}
    </Page>
  );
}

function Catalogue() {
  const models = useDeviceModels();
  const [search, setSearch] = useState("");
  const columns: Column<DeviceModelSummary>[] = [
    { title: "Vendor", cell: (model) => model.vendor_label },
    { title: "Model", cell: (model) => model.label },
    { title: "Lines", cell: (model) => <Badge color="gray">{model.lines}</Badge> },
    { title: "Key", cell: (model) => <span className="mono">{model.key}</span> },
  ];
  return (
    <>
      <Text component="h2" fw={600} mt="md">
        Catalogue
      </Text>
      <TextInput
        label="Find a model"
        placeholder="T54W"
        value={search}
        maw={320}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <Loaded query={models}>
        {(page) => {
          const wanted = search.trim().toLowerCase();
          const rows = page.items.filter((model) => `${model.label} ${model.key}`.toLowerCase().includes(wanted));
          return (
            <>
              <Text size="sm" c="dimmed">
                {rows.length} of {page.items.length} models
              </Text>
              <DataTable label="Catalogue" columns={columns} rows={rows} rowKey={(model) => model.key} />
            </>
          );
        }}
      </Loaded>
    </>
  );
}
