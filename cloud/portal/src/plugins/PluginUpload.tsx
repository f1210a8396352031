/** Uploading a device plug-in; what is wrong with it is listed by file and line. */
import { FileInput, Select, TextInput } from "@mantine/core";

import { api, bodyOf } from "../api/client";
import { refresh } from "../api/live";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { useTenants } from "../tenants/useTenants";

interface Values {
  tenant_id: string | null;
  vendor: string;
  archive: File | null;
}

export function PluginUpload({ onClose }: { onClose: () => void }) {
  const tenants = useTenants();
  const draft = useDraft<Values>({
    initial: { tenant_id: null, vendor: "", archive: null },
    save: async (values) => {
      const body = {
        vendor: values.vendor,
        tenant_id: values.tenant_id,
        archive: values.archive ? await base64Of(values.archive) : "",
      };
      await bodyOf(api.POST("/device-plugins", { body }));
      await refresh(["device-plugins"], ["device-models"]);
      tellDone("The plug-in was uploaded");
      onClose();
    },
  });
  const choose = (archive: File | null) => {
    const named = archive?.name.replace(/\.zip$/i, "").toLowerCase() ?? "";
    draft.set({ archive, ...(draft.values.vendor === "" ? { vendor: named } : {}) });
  };
  return (
    <FormDrawer title="Upload plug-in" saveLabel="Upload plug-in" draft={draft} onClose={onClose}>
      <FileInput
        label="ZIP archive of the folder"
        description="plugin.toml, settings.xml and templates; at most 256 KiB"
        accept=".zip,application/zip"
        placeholder="acme.zip"
        value={draft.values.archive}
        error={draft.problemAt("archive")}
        onChange={choose}
      />
      <TextInput
        label="Name"
        description="The first half of its models' keys, such as acme"
        classNames={{ input: "mono" }}
        autoCapitalize="none"
        {...draft.text("vendor")}
      />
      <Select
        label="Tenant"
        data={(tenants.data ?? []).map((tenant) => ({ value: tenant.id, label: tenant.name }))}
        searchable
        {...draft.field("tenant_id")}
      />
    </FormDrawer>
  );
}

async function base64Of(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
