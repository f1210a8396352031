/** Firmware of phones: the versions that there are, and who gets them when. */
import { Button, Group, Stack, Switch, Text } from "@mantine/core";
import { useMemo, useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { Firmware } from "../api/types";
import { Confirm } from "../shell/Confirm";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded, Page } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { PlusIcon } from "../shell/icons";
import { tellDone } from "../shell/notices";
import { useSites } from "../sites/useSites";
import { useTenants } from "../tenants/useTenants";
import { FirmwareUpload } from "./FirmwareUpload";
import { RolloutCard } from "./RolloutCard";
import { RolloutForm } from "./RolloutForm";
import { sizeText } from "./states";
import { useFirmware, useRollouts } from "./useFirmware";

export function FirmwarePage() {
  const firmware = useFirmware();
  const tenants = useTenants();
  const names = useMemo(() => new Map(tenants.data?.map((tenant) => [tenant.id, tenant.name])), [tenants.data]);
  const [uploading, setUploading] = useState(false);
  const [rolled, setRolled] = useState<Firmware | null>(null);
  const [deleted, setDeleted] = useState<Firmware | null>(null);
  const columns: Column<Firmware>[] = [
    { title: "Version", cell: (one) => <span className="mono">{one.firmware_version}</span> },
    { title: "Fits", cell: (one) => `${one.vendor} ${one.models.join(", ")}` },
    { title: "Tenant", cell: (one) => names.get(one.tenant_id) ?? "" },
    {
      title: "Files",
      cell: (one) => one.files.map((file) => `${file.name} (${sizeText(file.size_bytes)})`).join(", "),
    },
    { title: "Notes", cell: (one) => one.notes || <Text c="dimmed" size="sm">none</Text> },
    {
      title: "",
      align: "right",
      cell: (one) => (
        <Group gap="xs" wrap="nowrap" justify="flex-end">
          <Button
            size="compact-sm"
            variant="light"
            onClick={() => setRolled(one)}
            aria-label={`Roll out ${one.firmware_version}`}
          >
            Roll out
          </Button>
          <RowActions name={one.firmware_version} onDelete={() => setDeleted(one)} />
        </Group>
      ),
    },
  ];
  const newButton = (
    <Button leftSection={<PlusIcon size={16} />} onClick={() => setUploading(true)}>
      Upload firmware
    </Button>
  );
  return (
    <Page title="Firmware" actions={newButton}>
      <Loaded query={firmware}>
        {(all) =>
          all.length === 0 ? (
            <div className="card">
              <Empty title="No firmware yet">
                Upload what a vendor published; each site&apos;s edge fetches it once and hands it to the phones, ring
                after ring.
              </Empty>
            </div>
          ) : (
            <>
              <DataTable label="Firmware" columns={columns} rows={all} rowKey={(one) => one.id} />
              <Rollouts firmware={all} />
            </>
          )
        }
      </Loaded>
      {uploading ? <FirmwareUpload onClose={() => setUploading(false)} /> : null}
      {rolled ? <RolloutForm firmware={rolled} onClose={() => setRolled(null)} /> : null}
      {deleted ? (
        <Confirm
          title="Delete this firmware?"
          action="Delete firmware"
          run={async () => {
            const params = { path: { firmware_id: deleted.id }, header: ifMatch(deleted.version) };
            await bodyOf(api.DELETE("/firmware/{firmware_id}", { params }));
            await refresh(["firmware"], ["firmware-rollouts"]);
            tellDone("The firmware was deleted");
          }}
          onClose={() => setDeleted(null)}
        >
          {`${deleted.vendor} ${deleted.firmware_version} can no longer be rolled out. Phones keep what they run.`}
        </Confirm>
      ) : null}
    </Page>
  );
}

function Rollouts({ firmware }: { firmware: Firmware[] }) {
  const rollouts = useRollouts();
  const sites = useSites();
  const siteNames = useMemo(() => new Map(sites.data?.map((site) => [site.id, site.name])), [sites.data]);
  const [withEnded, setWithEnded] = useState(false);
  const byId = new Map(firmware.map((one) => [one.id, one]));
  return (
    <Stack gap="sm">
      <Group justify="space-between" mt="md">
        <Text component="h2" fw={600}>
          Rollouts
        </Text>
        <Switch
          label="Show ended ones"
          checked={withEnded}
          onChange={(event) => setWithEnded(event.currentTarget.checked)}
        />
      </Group>
      <Loaded query={rollouts}>
        {(all) => {
          const shown = all.filter((one) => withEnded || one.state !== "ended").reverse();
          if (shown.length === 0) {
            return (
              <div className="card">
                <Empty title="Nothing is being rolled out">Choose “Roll out” at a firmware above.</Empty>
              </div>
            );
          }
          return (
            <Stack gap="sm">
              {shown.map((one) => {
                const mine = byId.get(one.firmware_id);
                return mine ? <RolloutCard key={one.id} rollout={one} firmware={mine} siteNames={siteNames} /> : null;
              })}
            </Stack>
          );
        }}
      </Loaded>
    </Stack>
  );
}
