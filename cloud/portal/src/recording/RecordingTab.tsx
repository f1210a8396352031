/** Which calls a site records, whom that is told, and for how long recordings are kept. */
import { ActionIcon, Alert, Button, Group, SimpleGrid, Stack, Switch, Text } from "@mantine/core";
import { useState } from "react";

import type { RecordingRule, Site } from "../api/types";
import { moved } from "../dialplan/plan";
import { useDialPlan } from "../dialplan/useDialPlan";
import { Confirm } from "../shell/Confirm";
import { DataTable } from "../shell/DataTable";
import { RowActions } from "../shell/RowActions";
import { DownIcon, UpIcon } from "../shell/icons";
import { tellDone, tellProblem } from "../shell/notices";
import { Card } from "../sites/OverviewTab";
import { useUsers } from "../users/useUsers";
import { LimitsForm } from "./LimitsForm";
import { OnDemandForm } from "./OnDemandForm";
import { RecordingRuleForm } from "./RecordingRuleForm";
import { callsText, hoursOf, keptText, onDemandText, statementOf, toldText } from "./recordingText";
import { saveRecording } from "./saveRecording";

export function RecordingTab({ site }: { site: Site }) {
  const users = useUsers(site.id, { poll: false });
  const plan = useDialPlan(site.id);
  const [edited, setEdited] = useState<{ rule: RecordingRule | null } | null>(null);
  const [deleted, setDeleted] = useState<RecordingRule | null>(null);
  const [limits, setLimits] = useState(false);
  const [onDemand, setOnDemand] = useState(false);
  const [saving, setSaving] = useState(false);
  const { recording } = site;
  const { rules } = recording;
  const document = plan.data?.document;
  const outside = [...(document?.trunks ?? []), ...(document?.gateways ?? []).filter((one) => one.trusted)];
  const trunks = outside.map((one) => ({ value: one.gateway_id, label: one.name }));
  const people = (users.data ?? []).map((one) => ({ value: one.id, label: one.display_name || one.username }));
  const groups = [...(document?.hunt_groups ?? []), ...(document?.pickup_groups ?? [])].map((one) => ({
    value: one.group_id,
    label: one.name,
  }));
  const trunkName = (id: string) => trunks.find((one) => one.value === id)?.label ?? "one that is gone";
  const userName = (id: string) => people.find((one) => one.value === id)?.label ?? "somebody who is gone";
  const groupName = (id: string) => groups.find((one) => one.value === id)?.label ?? "a group that is gone";
  const put = async (wanted: RecordingRule[], done: string) => {
    setSaving(true);
    try {
      await saveRecording(site.id, site.version, { rules: wanted });
      tellDone(done);
    } catch (error) {
      tellProblem(error);
    } finally {
      setSaving(false);
    }
  };
  const change = (rule: RecordingRule, changes: Partial<RecordingRule>) =>
    rules.map((one) => (one === rule ? { ...one, ...changes } : one));
  return (
    <Stack>
      <Alert color={rules.some((one) => one.enabled && one.announcement === "none") ? "yellow" : "blue"} title={statementOf(recording)}>
        {keptText(recording)} In many countries a call may be recorded only when everybody in it knows, or agrees. Calls for
        help are never recorded.
      </Alert>
      <Card
        title="Rules"
        actions={
          <Button size="compact-sm" variant="default" aria-label="Add a rule of recording" onClick={() => setEdited({ rule: null })}>
            Add
          </Button>
        }
      >
        {rules.length === 0 ? (
          <Text size="sm" c="dimmed">
            None yet. A rule says which calls are recorded; the first that fits a call counts.
          </Text>
        ) : (
          <DataTable
            label="Rules of recording"
            rows={rules}
            rowKey={(rule) => rules.indexOf(rule)}
            columns={[
              {
                title: "On",
                width: 70,
                cell: (rule) => (
                  <Switch
                    size="sm"
                    checked={rule.enabled}
                    disabled={saving}
                    aria-label={`${rule.name} is on`}
                    onChange={(event) => {
                      const enabled = event.currentTarget.checked;
                      void put(change(rule, { enabled }), `${rule.name} is ${enabled ? "on" : "off"} and is being published`);
                    }}
                  />
                ),
              },
              {
                title: "Name",
                cell: (rule) => (
                  <Text size="sm" fw={560} c={rule.enabled ? undefined : "dimmed"}>
                    {rule.name}
                  </Text>
                ),
              },
              { title: "Calls", cell: (rule) => callsText(rule, trunkName, userName, groupName) },
              { title: "Told", cell: (rule) => toldText(rule) },
              {
                title: "",
                align: "right",
                cell: (rule) => {
                  const place = rules.indexOf(rule);
                  const order = (to: number) => void put(moved(rules, place, to), "The order was saved and is being published");
                  return (
                    <Group gap={2} wrap="nowrap" justify="flex-end">
                      {place > 0 ? (
                        <ActionIcon variant="subtle" color="gray" disabled={saving} onClick={() => order(place - 1)} aria-label={`Move ${rule.name} up`}>
                          <UpIcon size={16} />
                        </ActionIcon>
                      ) : null}
                      {place < rules.length - 1 ? (
                        <ActionIcon variant="subtle" color="gray" disabled={saving} onClick={() => order(place + 1)} aria-label={`Move ${rule.name} down`}>
                          <DownIcon size={16} />
                        </ActionIcon>
                      ) : null}
                      <RowActions name={rule.name} onEdit={() => setEdited({ rule })} onDelete={() => setDeleted(rule)} />
                    </Group>
                  );
                },
              },
            ]}
          />
        )}
      </Card>
      <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }}>
        <Card
          title="On demand"
          actions={
            <Button size="compact-sm" variant="default" aria-label="Edit recording on demand" onClick={() => setOnDemand(true)}>
              Edit
            </Button>
          }
        >
          <Text size="sm">{onDemandText(recording)}</Text>
        </Card>
        <Card
          title="Kept"
          actions={
            <Button size="compact-sm" variant="default" aria-label="Edit what is kept" onClick={() => setLimits(true)}>
              Edit
            </Button>
          }
        >
          <Text size="sm">{keptText(recording)}</Text>
          <Text size="sm" c="dimmed" mt="xs">
            Recordings take {recording.disk_mb} MB of the edge’s disk at most, about {hoursOf(recording.disk_mb)} hours of calls. When that
            is full, no other begins.
          </Text>
        </Card>
        <Card title="Where they lie">
          <Text size="sm">
            On the disk of the site’s edge, encrypted{recording.upload ? ", and in the cloud, encrypted too." : ". They stay there."}
          </Text>
          <Text size="sm" c="dimmed" mt="xs">
            {recording.upload ? (
              "Administrators listen to them in the list of calls; who did is in the audit."
            ) : (
              <>
                The list of calls says which were recorded; <span className="mono">tandem-edge export-recordings</span> writes them as WAV files.
              </>
            )}
          </Text>
        </Card>
      </SimpleGrid>
      {edited ? (
        <RecordingRuleForm site={site} rule={edited.rule} trunks={trunks} people={people} groups={groups} onClose={() => setEdited(null)} />
      ) : null}
      {onDemand ? <OnDemandForm site={site} onClose={() => setOnDemand(false)} /> : null}
      {limits ? <LimitsForm site={site} onClose={() => setLimits(false)} /> : null}
      {deleted ? (
        <Confirm
          title={`Delete ${deleted.name}?`}
          action="Delete rule"
          run={async () => {
            await saveRecording(site.id, site.version, { rules: rules.filter((one) => one !== deleted) });
            tellDone(`${deleted.name} was deleted`);
          }}
          onClose={() => setDeleted(null)}
        >
          Calls that it fits go by the rules after it. What was recorded stays until its days are over.
        </Confirm>
      ) : null}
    </Stack>
  );
}
