/** Which phones can be configured: the models that there are, and a tenant's own device plug-ins. */
import { Button, Group, Text } from "@mantine/core";
import { useMemo, useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh, useLiveAll } from "../api/live";
import type { DevicePlugin } from "../api/types";
import { Confirm } from "../shell/Confirm";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded, Page } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { PlusIcon } from "../shell/icons";
import { tellDone } from "../shell/notices";
import { useTenants } from "../tenants/useTenants";
import { Catalogue } from "./Catalogue";
import { PluginUpload } from "./PluginUpload";
import { usesText } from "./usesText";

export function DevicePluginsPage() {
  const plugins = useLiveAll<DevicePlugin>(["device-plugins"], (init, cursor) =>
    api.GET("/device-plugins", { ...init, params: { query: { limit: 200, cursor } } }),
  );
  const tenants = useTenants();
  const names = useMemo(() => new Map(tenants.data?.map((tenant) => [tenant.id, tenant.name])), [tenants.data]);
  const [uploading, setUploading] = useState<DevicePlugin | "new" | null>(null);
  const [deleted, setDeleted] = useState<DevicePlugin | null>(null);
  const columns: Column<DevicePlugin>[] = [
    { title: "Plug-in", cell: (plugin) => `${plugin.label} (${plugin.vendor})` },
    { title: "Tenant", cell: (plugin) => names.get(plugin.tenant_id) ?? "" },
    { title: "Models", cell: (plugin) => plugin.models.join(", ") },
    { title: "Devices", cell: (plugin) => usesText(plugin) || <Text c="dimmed" size="sm">none</Text> },
    {
      title: "",
      align: "right",
      cell: (plugin) => (
        <Group gap="xs" wrap="nowrap" justify="flex-end">
          <Button
            size="compact-sm"
            variant="light"
            onClick={() => setUploading(plugin)}
            aria-label={`Replace ${plugin.vendor}`}
          >
            Replace
          </Button>
          <RowActions name={plugin.vendor} onDelete={() => setDeleted(plugin)} />
        </Group>
      ),
    },
  ];
  const newButton = (
    <Button leftSection={<PlusIcon size={16} />} onClick={() => setUploading("new")}>
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
      {uploading !== null ? (
        <PluginUpload replaced={uploading === "new" ? undefined : uploading} onClose={() => setUploading(null)} />
      ) : null}
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
          {usesText(deleted)
            ? `Devices have its models (${usesText(deleted)}): they have to be given another first.`
            : `${deleted.label} and its models are no longer there to choose from.`}
        </Confirm>
      ) : null}
    </Page>
  );
}
