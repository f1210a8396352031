/** Making or changing a site. */
import { MultiSelect, Select, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { Site, Tenant } from "../api/types";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { browserZone } from "../shell/times";

const ZONES = [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])];

interface Props {
  /** What a new site may belong to. */
  tenants?: readonly Tenant[];
  /** Absent: a new one. */
  site?: Site;
  onClose: () => void;
}

interface SiteValues {
  tenant_id: string | null;
  name: string;
  time_zone: string;
  digest_algorithms: ("MD5" | "SHA-256")[];
}

function valuesOf(site: Site): SiteValues {
  const digest_algorithms = site.digest_algorithms as SiteValues["digest_algorithms"];
  return { tenant_id: site.tenant_id, name: site.name, time_zone: site.time_zone, digest_algorithms };
}

export function SiteForm({ tenants = [], site, onClose }: Props) {
  const navigate = useNavigate();
  const fresh: SiteValues = {
    tenant_id: tenants.length === 1 ? (tenants[0]?.id ?? null) : null,
    name: "",
    time_zone: browserZone,
    digest_algorithms: ["MD5"],
  };
  const draft = useDraft<SiteValues>({
    initial: site ? valuesOf(site) : fresh,
    version: site?.version,
    save: async (values, changes, version) => {
      if (site) {
        const path = { site_id: site.id };
        const { tenant_id: _, ...body } = changes;
        await bodyOf(api.PATCH("/sites/{site_id}", { params: { path, header: ifMatch(version) }, body }));
        await refresh(["sites"]);
        tellDone("The site was saved");
        onClose();
      } else {
        const made = await bodyOf(api.POST("/sites", { body: values }));
        await refresh(["sites"]);
        tellDone(`Site ${made.name} was created`);
        await navigate({ to: "/sites/$siteId", params: { siteId: made.id } });
      }
    },
    reload: async () => {
      const path = { site_id: site?.id ?? "" };
      const saved = await bodyOf(api.GET("/sites/{site_id}", { params: { path } }));
      return { values: valuesOf(saved), version: saved.version };
    },
  });
  return (
    <FormDrawer
      title={site ? `Edit ${site.name}` : "New site"}
      saveLabel={site ? "Save" : "Create site"}
      draft={draft}
      onClose={onClose}
    >
      {site ? null : (
        <Select
          label="Tenant"
          searchable
          data={tenants.map((tenant) => ({ value: tenant.id, label: tenant.name }))}
          data-autofocus
          {...draft.field("tenant_id")}
        />
      )}
      <TextInput label="Name" placeholder="Main office" {...draft.text("name")} />
      <Select
        label="Time zone"
        description="Phones show it, and calls are listed in it"
        searchable
        data={ZONES}
        {...draft.field("time_zone")}
        onChange={(zone) => draft.set({ time_zone: zone ?? "UTC" })}
      />
      <MultiSelect
        label="Digest algorithms"
        description="What phones are challenged with, in this order. Many phones know MD5 only."
        data={["MD5", "SHA-256"]}
        value={draft.values.digest_algorithms}
        error={draft.problemAt("digest_algorithms")}
        onChange={(chosen) => draft.set({ digest_algorithms: chosen as SiteValues["digest_algorithms"] })}
      />
    </FormDrawer>
  );
}
