/** Who gets a firmware, and when: rings, each with its phones and its moment. */
import { ActionIcon, Button, Fieldset, Group, MultiSelect, Stack, Text, TextInput } from "@mantine/core";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh, useLiveAll } from "../api/live";
import type { DeviceGroup, Firmware, FirmwareRollout } from "../api/types";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { TrashIcon, PlusIcon } from "../shell/icons";
import { tellDone } from "../shell/notices";
import { browserZone } from "../shell/times";
import { useSites } from "../sites/useSites";
import { localInput, momentOf } from "./localMoment";

interface RingValues {
  key: number;
  name: string;
  /** As a datetime-local input has it, in the browser's time zone. */
  starts: string;
  site_ids: string[];
  group_ids: string[];
}

interface Values {
  rings: RingValues[];
}

interface Props {
  firmware: Firmware;
  /** The rollout whose rings are changed; absent: a new one. */
  rollout?: FirmwareRollout;
  onClose: () => void;
}

const HOUR = 3_600_000;

function initialRings(rollout: FirmwareRollout | undefined): RingValues[] {
  if (rollout) {
    return rollout.rings.map(({ name, starts_at, site_ids, group_ids }, key) => ({
      key,
      name,
      starts: localInput(new Date(starts_at)),
      site_ids,
      group_ids,
    }));
  }
  return [{ key: 0, name: "Everyone", starts: localInput(new Date(Date.now())), site_ids: [], group_ids: [] }];
}

export function RolloutForm({ firmware, rollout, onClose }: Props) {
  const sites = useSites();
  const groups = useLiveAll<DeviceGroup>(["device-groups", firmware.tenant_id], (init, cursor) =>
    api.GET("/device-groups", { ...init, params: { query: { tenant_id: firmware.tenant_id, limit: 200, cursor } } }),
  );
  const draft = useDraft<Values>({
    initial: { rings: initialRings(rollout) },
    version: rollout?.version,
    save: async ({ rings }, _changes, version) => {
      const sent = rings.map(({ name, starts, site_ids, group_ids }) => ({
        name,
        starts_at: momentOf(starts),
        site_ids,
        group_ids,
      }));
      if (rollout) {
        const params = { path: { rollout_id: rollout.id }, header: ifMatch(version) };
        await bodyOf(api.PATCH("/firmware-rollouts/{rollout_id}", { params, body: { rings: sent } }));
      } else {
        await bodyOf(api.POST("/firmware-rollouts", { body: { firmware_id: firmware.id, rings: sent } }));
      }
      await refresh(["firmware-rollouts"], ["firmware-progress"], ["firmware"]);
      tellDone(rollout ? "The rings were changed" : "The rollout begins with its first ring");
      onClose();
    },
  });
  const { rings } = draft.values;
  const change = (at: number, changes: Partial<RingValues>) =>
    draft.set({ rings: rings.map((ring, place) => (place === at ? { ...ring, ...changes } : ring)) });
  const add = () => {
    const first: RingValues = {
      key: Math.max(...rings.map((ring) => ring.key)) + 1,
      name: rings.length === 1 ? "First phones" : `Ring ${rings.length}`,
      starts: rings[0]?.starts ?? localInput(new Date()),
      site_ids: [],
      group_ids: [],
    };
    const last = rings[rings.length - 1];
    if (!last) return;
    const later = localInput(new Date(new Date(last.starts).getTime() + 24 * HOUR));
    draft.set({ rings: [...rings.slice(0, -1), first, { ...last, starts: later }] });
  };
  const siteNames = (sites.data ?? [])
    .filter((site) => site.tenant_id === firmware.tenant_id)
    .map((site) => ({ value: site.id, label: site.name }));
  const groupNames = (groups.data ?? []).map((group) => ({ value: group.id, label: group.name }));
  return (
    <FormDrawer
      title={rollout ? "Change rings" : `Roll out ${firmware.firmware_version}`}
      saveLabel={rollout ? "Save rings" : "Roll out"}
      draft={draft}
      onClose={onClose}
    >
      <Text size="sm">
        Each phone belongs to the first ring that has it. It is told when its ring has started, within the hours that its
        site allows, and not during a call. Without sites and groups, a ring has every phone that is left.
      </Text>
      <Stack gap="sm">
        {rings.map((ring, at) => (
          <Fieldset key={ring.key} legend={`Ring ${at + 1}`}>
            <Stack gap="sm">
              <Group gap="sm" align="flex-end" wrap="nowrap">
                <TextInput
                  style={{ flex: 1 }}
                  label="Name"
                  value={ring.name}
                  error={draft.problemAt(`rings.${at}.name`) ?? draft.problemAt(`rings.${at}`)}
                  onChange={(event) => change(at, { name: event.currentTarget.value })}
                />
                {rings.length > 1 ? (
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    size="lg"
                    aria-label={`Remove ring ${at + 1}`}
                    onClick={() => draft.set({ rings: rings.filter((_, place) => place !== at) })}
                  >
                    <TrashIcon />
                  </ActionIcon>
                ) : null}
              </Group>
              <TextInput
                type="datetime-local"
                label="Starts"
                description={`In ${browserZone}`}
                value={ring.starts}
                error={draft.problemAt(`rings.${at}.starts_at`)}
                onChange={(event) => change(at, { starts: event.currentTarget.value })}
              />
              <MultiSelect
                label="Sites"
                data={siteNames}
                searchable
                placeholder={ring.site_ids.length || ring.group_ids.length ? undefined : "Every phone"}
                value={ring.site_ids}
                error={draft.problemAt(`rings.${at}.site_ids`)}
                onChange={(site_ids) => change(at, { site_ids })}
              />
              <MultiSelect
                label="Device groups"
                data={groupNames}
                searchable
                value={ring.group_ids}
                error={draft.problemAt(`rings.${at}.group_ids`)}
                onChange={(group_ids) => change(at, { group_ids })}
              />
            </Stack>
          </Fieldset>
        ))}
        <Button variant="light" leftSection={<PlusIcon size={16} />} onClick={add} style={{ alignSelf: "flex-start" }}>
          Add a ring before the last
        </Button>
      </Stack>
    </FormDrawer>
  );
}
