/** New firmware: what it is for, its files, and how far they are on their way. */
import { FileInput, MultiSelect, Progress, Select, Stack, Text, TextInput, Textarea } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh } from "../api/live";
import { useDeviceModels } from "../devices/useDevices";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { useTenants } from "../tenants/useTenants";
import { bring, type Step } from "./bring";

interface Values {
  tenant_id: string | null;
  vendor: string | null;
  models: string[];
  firmware_version: string;
  files: File[];
  notes: string;
}

const NOTHING: Values = { tenant_id: null, vendor: null, models: [], firmware_version: "", files: [], notes: "" };

export function FirmwareUpload({ onClose }: { onClose: () => void }) {
  const tenants = useTenants();
  const only = tenants.data?.length === 1 ? tenants.data[0]?.id : undefined;
  const [step, setStep] = useState<(Step & { name: string }) | null>(null);
  const draft = useDraft<Values>({
    initial: NOTHING,
    save: async (values) => {
      const tenant_id = values.tenant_id ?? only ?? null;
      try {
        const files = [];
        for (const file of values.files) {
          const digest = await bring(file, tenant_id, (told) => setStep({ ...told, name: file.name }));
          files.push({ name: file.name, digest });
        }
        const { vendor, models, firmware_version, notes } = values;
        const body = { tenant_id, vendor: vendor ?? "", models, firmware_version, notes, files };
        await bodyOf(api.POST("/firmware", { body }));
      } finally {
        setStep(null);
      }
      await refresh(["firmware"], ["firmware-usage"]);
      tellDone("The firmware is there; roll it out when it suits");
      onClose();
    },
  });
  const models = useDeviceModels(draft.values.tenant_id ?? only);
  const all = models.data?.items ?? [];
  const vendors = new Map(all.map((model) => [model.vendor, model.vendor_label]));
  const mine = all.filter((model) => model.vendor === draft.values.vendor);
  return (
    <FormDrawer title="Upload firmware" saveLabel="Upload firmware" draft={draft} onClose={onClose}>
      {only ? null : (
        <Select
          label="Tenant"
          data={(tenants.data ?? []).map((tenant) => ({ value: tenant.id, label: tenant.name }))}
          searchable
          {...draft.field("tenant_id")}
        />
      )}
      <Select
        label="Vendor"
        data={[...vendors].map(([value, label]) => ({ value, label }))}
        searchable
        value={draft.values.vendor}
        error={draft.problemAt("vendor")}
        onChange={(vendor) => draft.set({ vendor, models: [] })}
      />
      <MultiSelect
        label="Models that it fits"
        description="Phones of these models, and no others, can be told of it"
        data={mine.map((model) => ({ value: model.key.split("/")[1] ?? "", label: model.label }))}
        searchable
        disabled={mine.length === 0}
        value={draft.values.models}
        error={draft.problemAt("models")}
        onChange={(chosen) => draft.set({ models: chosen })}
      />
      <TextInput
        label="Version"
        description="As a phone that runs it says in its User-Agent: that is how Tandem knows that it is done"
        placeholder="96.86.0.70"
        classNames={{ input: "mono" }}
        autoCapitalize="none"
        {...draft.text("firmware_version")}
      />
      <FileInput
        label="Files"
        description="Under the names that phones ask for; the first is the one that the phone's own file names"
        placeholder="T54W-96.86.0.70.rom"
        multiple
        clearable
        value={draft.values.files}
        error={draft.problemAt("files") ?? draft.problemAt("size_bytes")}
        onChange={(files) => draft.set({ files })}
      />
      <Textarea label="Notes" autosize minRows={2} {...draft.text("notes")} />
      {step ? (
        <Stack gap={4} role="status">
          <Text size="sm">
            {step.what === "reading" ? "Reading" : "Sending"} {step.name}: {Math.round(100 * step.part)} %
          </Text>
          <Progress value={100 * step.part} animated={step.what === "sending"} aria-label={`${step.name} is on its way`} />
        </Stack>
      ) : null}
    </FormDrawer>
  );
}
