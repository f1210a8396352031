/** Tenants: who the sites belong to. */
import { Anchor, Button, Text } from "@mantine/core";
import { useMemo, useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { Tenant } from "../api/types";
import { useMay } from "../session/roles";
import { Confirm } from "../shell/Confirm";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded, Page } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { PlusIcon } from "../shell/icons";
import { tellDone } from "../shell/notices";
import { useSites } from "../sites/useSites";
import { TenantForm } from "./TenantForm";
import { useMsps, useTenants } from "./useTenants";

export function TenantsPage() {
  const tenants = useTenants();
  const sites = useSites();
  const msps = useMsps();
  const mayChange = useMay("msp_admin");
  const [edited, setEdited] = useState<Tenant | "new" | null>(null);
  const [deleted, setDeleted] = useState<Tenant | null>(null);
  const providers = useMemo(() => new Map(msps.data?.map((msp) => [msp.id, msp.name])), [msps.data]);
  const siteCount = (tenant: Tenant) => sites.data?.filter((site) => site.tenant_id === tenant.id).length;

  const columns: Column<Tenant>[] = [
    {
      title: "Tenant",
      cell: (tenant) =>
        mayChange ? (
          <Anchor component="button" type="button" className="row-link" onClick={() => setEdited(tenant)}>
            {tenant.name}
          </Anchor>
        ) : (
          <Text fw={580}>{tenant.name}</Text>
        ),
    },
    { title: "SIP domain", cell: (tenant) => <span className="mono wrap-anywhere">{tenant.domain}</span> },
    { title: "Sites", cell: (tenant) => siteCount(tenant) ?? "" },
    ...(providers.size > 1
      ? [{ title: "Provider", cell: (tenant: Tenant) => providers.get(tenant.msp_id) ?? "" }]
      : []),
    ...(mayChange
      ? [
          {
            title: "",
            align: "right" as const,
            cell: (tenant: Tenant) => (
              <RowActions name={tenant.name} onEdit={() => setEdited(tenant)} onDelete={() => setDeleted(tenant)} />
            ),
          },
        ]
      : []),
  ];
  const newButton = (
    <Button leftSection={<PlusIcon size={16} />} onClick={() => setEdited("new")}>
      New tenant
    </Button>
  );
  return (
    <Page title="Tenants" actions={mayChange ? newButton : null}>
      <Loaded query={tenants}>
        {(all) =>
          all.length === 0 ? (
            <div className="card">
              <Empty title="No tenants yet" action={mayChange ? newButton : null}>
                A tenant is a customer with a SIP domain of its own. Its sites, users and phones come next.
              </Empty>
            </div>
          ) : (
            <DataTable label="Tenants" columns={columns} rows={all} rowKey={(tenant) => tenant.id} />
          )
        }
      </Loaded>
      {edited !== null ? (
        <TenantForm tenant={edited === "new" ? undefined : edited} msps={msps.data ?? []} onClose={() => setEdited(null)} />
      ) : null}
      {deleted ? (
        <Confirm
          title={`Delete ${deleted.name}?`}
          action="Delete tenant"
          run={async () => {
            const params = { path: { tenant_id: deleted.id }, header: ifMatch(deleted.version) };
            await bodyOf(api.DELETE("/tenants/{tenant_id}", { params }));
            await refresh(["tenants"], ["sites"]);
            tellDone(`Tenant ${deleted.name} was deleted`);
          }}
          onClose={() => setDeleted(null)}
        >
          All its sites, users, devices and call records are deleted with it. This cannot be undone.
        </Confirm>
      ) : null}
    </Page>
  );
}
