/** Sending profiles: the order, then a live count of how far the phones are, and who failed. */
import { Alert, Button, Checkbox, Drawer, Group, Progress, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh, useLive, useLiveAll } from "../api/live";
import type { ResyncJob, ResyncPhone, Site } from "../api/types";
import { DataTable, type Column } from "../shell/DataTable";
import { State } from "../shell/State";
import { tellProblem } from "../shell/notices";
import { showMac } from "./mac";
import { progressOf, resyncStates } from "./resyncStates";

interface Props {
  site: Site;
  /** How many phones the site has. */
  phones: number;
  onClose: () => void;
}

export function ResyncDrawer({ site, phones, onClose }: Props) {
  const [reboot, setReboot] = useState(false);
  const [sending, setSending] = useState(false);
  const [job, setJob] = useState<ResyncJob | null>(null);
  const send = (deviceIds?: string[]) => {
    setSending(true);
    const params = { path: { site_id: site.id } };
    bodyOf(api.POST("/sites/{site_id}/resync", { params, body: { reboot, device_ids: deviceIds ?? null } }))
      .then(async (made) => {
        setJob(made);
        await refresh(["devices", site.id]);
      }, tellProblem)
      .finally(() => setSending(false));
  };
  return (
    <Drawer
      opened
      onClose={onClose}
      title="Send profiles"
      position="right"
      size="lg"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {job ? (
        <Sent job={job} onRetry={send} retrying={sending} />
      ) : (
        <Stack gap="md">
          <Text>
            Phones fetch their files again by themselves when something of them changes. This tells all {phones} phones of
            the site now; those in a call are told after it.
          </Text>
          <Checkbox
            checked={reboot}
            onChange={(event) => setReboot(event.currentTarget.checked)}
            label="Have the phones start again"
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button onClick={() => send()} loading={sending}>
              Send profiles
            </Button>
          </Group>
        </Stack>
      )}
    </Drawer>
  );
}

function Sent({ job, onRetry, retrying }: { job: ResyncJob; onRetry: (ids: string[]) => void; retrying: boolean }) {
  const live = useLive(["resync-jobs", job.id], (init) =>
    api.GET("/resync-jobs/{job_id}", { ...init, params: { path: { job_id: job.id } } }),
  );
  const failed = useLiveAll<ResyncPhone>(["resync-phones", job.id], (init, cursor) =>
    api.GET("/resync-phones", { ...init, params: { query: { job_id: job.id, state: "failed", limit: 200, cursor } } }),
  );
  const now = live.data ?? job;
  const columns: Column<ResyncPhone>[] = [
    { title: "Phone", cell: (phone) => phone.name || <span className="mono">{showMac(phone.mac)}</span> },
    { title: "Why", cell: (phone) => phone.text },
  ];
  return (
    <Stack gap="md">
      <Progress value={progressOf(now)} aria-label="Phones done" />
      <Group gap="lg" role="status" aria-label="Phones by state">
        {Object.entries(resyncStates).map(([state, shown]) => {
          const count = now.counts[state as ResyncPhone["state"]] ?? 0;
          return count > 0 ? <State key={state} tone={shown.tone} label={`${shown.label}: ${count}`} /> : null;
        })}
      </Group>
      {now.done && (now.counts.failed ?? 0) === 0 ? <Alert color="green" title="Every phone has its files" /> : null}
      {failed.data && failed.data.length > 0 ? (
        <>
          <DataTable label="Phones that failed" columns={columns} rows={failed.data} rowKey={(phone) => phone.device_id} />
          <Group justify="flex-end">
            <Button
              variant="default"
              loading={retrying}
              onClick={() => onRetry(failed.data.map((phone) => phone.device_id))}
            >
              Try these again
            </Button>
          </Group>
        </>
      ) : null}
    </Stack>
  );
}
