/** Uploading a device plug-in; what is wrong with it is listed by file and line. */
import { FileInput, Select, Text, TextInput } from "@mantine/core";

import { api, bodyOf } from "../api/client";
import { refresh } from "../api/live";
import type { DevicePlugin } from "../api/types";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { useTenants } from "../tenants/useTenants";
import { usesText } from "./usesText";

interface Values {
  tenant_id: string | null;
  vendor: string;
  archive: File | null;
}

interface Props {
  /** The plug-in whose content it is to be; absent: any. */
  replaced?: DevicePlugin;
  onClose: () => void;
}

export function PluginUpload({ replaced, onClose }: Props) {
  const tenants = useTenants();
  const draft = useDraft<Values>({
    initial: { tenant_id: replaced?.tenant_id ?? null, vendor: replaced?.vendor ?? "", archive: null },
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
    <FormDrawer
      title={replaced ? `Replace ${replaced.vendor}` : "Upload plug-in"}
      saveLabel="Upload plug-in"
      draft={draft}
      onClose={onClose}
    >
      {replaced ? (
        <Text size="sm">
          The new content takes the place of the old one at all sites; phones whose files it changes fetch them again.
          {usesText(replaced) ? ` Devices have these models, which it must keep: ${usesText(replaced)}.` : ""}
        </Text>
      ) : null}
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
        disabled={replaced !== undefined}
        {...draft.text("vendor")}
      />
      <Select
        label="Tenant"
        data={(tenants.data ?? []).map((tenant) => ({ value: tenant.id, label: tenant.name }))}
        searchable
        disabled={replaced !== undefined}
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
