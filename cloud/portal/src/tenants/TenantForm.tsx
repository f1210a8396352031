/** Making or changing a tenant. */
import { Select, TextInput } from "@mantine/core";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { Tenant } from "../api/types";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";

interface Props {
  tenant?: Tenant;
  /** The providers to choose from; none for who belongs to one. */
  msps: readonly { id: string; name: string }[];
  onClose: () => void;
}

interface TenantValues {
  msp_id: string | null;
  name: string;
  domain: string;
}

function valuesOf({ msp_id, name, domain }: Tenant): TenantValues {
  return { msp_id, name, domain };
}

export function TenantForm({ tenant, msps, onClose }: Props) {
  const draft = useDraft<TenantValues>({
    initial: tenant ? valuesOf(tenant) : { msp_id: msps.length === 1 ? (msps[0]?.id ?? null) : null, name: "", domain: "" },
    version: tenant?.version,
    save: async (values, changes, version) => {
      if (tenant) {
        const { msp_id: _, ...body } = changes;
        const params = { path: { tenant_id: tenant.id }, header: ifMatch(version) };
        await bodyOf(api.PATCH("/tenants/{tenant_id}", { params, body }));
        tellDone("The tenant was saved");
      } else {
        const { msp_id, ...rest } = values;
        await bodyOf(api.POST("/tenants", { body: msps.length > 0 ? { msp_id, ...rest } : rest }));
        tellDone(`Tenant ${values.name} was created`);
      }
      await refresh(["tenants"]);
      onClose();
    },
    reload: async () => {
      const saved = await bodyOf(api.GET("/tenants/{tenant_id}", { params: { path: { tenant_id: tenant?.id ?? "" } } }));
      return { values: valuesOf(saved), version: saved.version };
    },
  });
  return (
    <FormDrawer
      title={tenant ? `Edit ${tenant.name}` : "New tenant"}
      saveLabel={tenant ? "Save" : "Create tenant"}
      draft={draft}
      onClose={onClose}
    >
      {tenant || msps.length === 0 ? null : (
        <Select
          label="Provider"
          searchable
          data={msps.map((msp) => ({ value: msp.id, label: msp.name }))}
          {...draft.field("msp_id")}
        />
      )}
      <TextInput label="Name" data-autofocus {...draft.text("name")} />
      <TextInput
        label="SIP domain"
        description={
          tenant ? "Every phone of every site is configured with it: changing it configures them all anew" : "Of every site of the tenant, such as customer.example"
        }
        classNames={{ input: "mono" }}
        {...draft.text("domain")}
      />
      {tenant ? <TextInput label="Digest realm" description="It never changes" value={tenant.realm} readOnly variant="filled" /> : null}
    </FormDrawer>
  );
}
