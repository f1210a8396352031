/** One rollout: its rings along the time, how far the phones of each are, and what can be done about it. */
import { Button, Group, Progress, Stack, Text, Title, Tooltip } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { Firmware, FirmwareRollout, RolloutPhone } from "../api/types";
import { Confirm } from "../shell/Confirm";
import { DataTable, type Column } from "../shell/DataTable";
import { Loaded } from "../shell/Page";
import { State } from "../shell/State";
import { Moment } from "../shell/When";
import { tellDone, tellProblem } from "../shell/notices";
import { RolloutForm } from "./RolloutForm";
import { STATES, partsOf, sumText } from "./states";
import { useProgress } from "./useFirmware";

interface Props {
  rollout: FirmwareRollout;
  firmware: Firmware;
  siteNames: Map<string, string>;
}

type Asked = "ended" | "back" | null;

export function RolloutCard({ rollout, firmware, siteNames }: Props) {
  const [asked, setAsked] = useState<Asked>(null);
  const [editing, setEditing] = useState(false);
  const [all, setAll] = useState(false);
  const ended = rollout.state === "ended";
  const progress = useProgress(rollout.id, !ended);
  const title = `${firmware.vendor} ${firmware.firmware_version}`;
  const params = { path: { rollout_id: rollout.id }, header: ifMatch(rollout.version) };
  const settle = async (state: FirmwareRollout["state"], said: string) => {
    await bodyOf(api.PATCH("/firmware-rollouts/{rollout_id}", { params, body: { state } }));
    await refresh(["firmware-rollouts"], ["firmware-progress"]);
    tellDone(said);
  };
  const columns: Column<RolloutPhone>[] = [
    { title: "Phone", cell: (phone) => <span className="mono">{phone.mac}</span> },
    { title: "Name", cell: (phone) => phone.name || <Text c="dimmed" size="sm">none</Text> },
    { title: "Site", cell: (phone) => siteNames.get(phone.site_id) ?? "" },
    { title: "Ring", cell: (phone) => rollout.rings[phone.ring]?.name || `Ring ${phone.ring + 1}` },
    { title: "Runs", cell: (phone) => <span className="mono">{phone.running_version || "not known"}</span> },
    {
      title: "State",
      cell: (phone) => <State tone={STATES[phone.state].tone} label={ONE[phone.state]} detail={phone.text} />,
    },
  ];
  return (
    <section className="card" aria-label={`Rollout of ${title}`} style={{ padding: "var(--mantine-spacing-md)" }}>
      <Stack gap="md">
        <Group justify="space-between" gap="sm">
          <Group gap="md">
            <Title order={3} size="h4">
              {title}
            </Title>
            <State {...ROLLOUT[rollout.state]} />
          </Group>
          {ended ? null : (
            <Group gap="xs">
              {rollout.state === "running" ? (
                <Button size="compact-sm" variant="light" onClick={() => settle("paused", "No further phone is told").catch(tellProblem)}>
                  Pause
                </Button>
              ) : (
                <Button size="compact-sm" variant="light" onClick={() => settle("running", "The rollout goes on").catch(tellProblem)}>
                  Resume
                </Button>
              )}
              <Button size="compact-sm" variant="default" onClick={() => setEditing(true)}>
                Change rings
              </Button>
              <Button size="compact-sm" variant="default" onClick={() => setAsked("ended")}>
                End
              </Button>
              <Button size="compact-sm" variant="default" color="red" onClick={() => setAsked("back")}>
                Roll back
              </Button>
            </Group>
          )}
        </Group>
        {ended ? null : (
          <Loaded query={progress}>
            {({ rings, phones }) => {
              const shown = all ? phones : phones.filter((phone) => phone.state === "failed");
              return (
                <>
                  <ol className="rings">
                    {rollout.rings.map((ring, at) => {
                      const state = rings[at] ?? { total: 0, counts: {} };
                      const name = ring.name || `Ring ${at + 1}`;
                      return (
                        <li key={`${ring.starts_at}-${at}`} className={new Date(ring.starts_at) > new Date() ? "later" : ""}>
                          <Group justify="space-between" gap="xs">
                            <Text fw={600}>{name}</Text>
                            <Text size="sm" c="dimmed">
                              <Moment at={ring.starts_at} />
                            </Text>
                          </Group>
                          <Progress.Root size="xl" aria-label={`${name}: ${sumText(state)}`}>
                            {partsOf(state).map((part) => (
                              <Tooltip key={part.state} label={`${STATES[part.state].label}: ${part.count}`}>
                                <Progress.Section
                                  value={part.percent}
                                  color={STATES[part.state].color}
                                  aria-label={`${STATES[part.state].label}: ${part.count}`}
                                />
                              </Tooltip>
                            ))}
                          </Progress.Root>
                          <Text size="sm">{sumText(state)}</Text>
                        </li>
                      );
                    })}
                  </ol>
                  {shown.length > 0 ? (
                    <DataTable label={`Phones of ${title}`} columns={columns} rows={shown} rowKey={(phone) => phone.device_id} />
                  ) : null}
                  {phones.length > 0 ? (
                    <Button size="compact-sm" variant="subtle" style={{ alignSelf: "flex-start" }} onClick={() => setAll(!all)}>
                      {all ? "Show only those that failed" : `Show ${phones.length} phones`}
                    </Button>
                  ) : null}
                </>
              );
            }}
          </Loaded>
        )}
      </Stack>
      {editing ? <RolloutForm firmware={firmware} rollout={rollout} onClose={() => setEditing(false)} /> : null}
      {asked === "ended" ? (
        <Confirm
          title="End this rollout?"
          action="End rollout"
          run={() => settle("ended", "The rollout has ended")}
          onClose={() => setAsked(null)}
        >
          Phones keep what they run; phones that come later are not told of this firmware.
        </Confirm>
      ) : null}
      {asked === "back" ? (
        <Confirm
          title="Roll back?"
          action="Roll back"
          run={async () => {
            await bodyOf(api.POST("/firmware-rollouts/{rollout_id}/roll-back", { params }));
            await refresh(["firmware-rollouts"], ["firmware-progress"]);
            tellDone("Phones go back to what the rollout before it says");
          }}
          onClose={() => setAsked(null)}
        >
          This rollout ends, and its phones are told of the firmware that the rollout before it says, in its rings.
        </Confirm>
      ) : null}
    </section>
  );
}

const ONE: Record<RolloutPhone["state"], string> = {
  running: "Runs it",
  fetched: "Has fetched it",
  told: "Was told",
  waiting: "Waits to be told",
  no_files: "Its edge has not the files yet",
  later: "Comes later",
  failed: "Failed",
};

const ROLLOUT = {
  running: { tone: "good", label: "Goes on" },
  paused: { tone: "waiting", label: "Paused" },
  ended: { tone: "idle", label: "Ended" },
} as const;
