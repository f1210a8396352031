/** Whether and how the site's edge answers DHCP. */
import { Alert, Button, Fieldset, Group, NumberInput, Radio, Stack, Switch, TagsInput, Text, Textarea, TextInput } from "@mantine/core";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { Site } from "../api/types";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft, type Draft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { NEW_RANGE, draftOf, rulesOf, type DhcpDraft, type DhcpMode, type RangeDraft } from "./dhcpRules";

const MODES: { value: DhcpMode; label: string }[] = [
  { value: "off", label: "Off" },
  { value: "beside", label: "Beside another server" },
  { value: "addresses", label: "Gives addresses" },
];

export function DhcpForm({ site, onClose }: { site: Site; onClose: () => void }) {
  const path = { site_id: site.id };
  const draft = useDraft<DhcpDraft>({
    initial: draftOf(site.provisioning.dhcp),
    version: site.version,
    save: async (values, _changes, version) => {
      const body = { provisioning: { dhcp: rulesOf(values) } };
      await bodyOf(api.PATCH("/sites/{site_id}", { params: { path, header: ifMatch(version) }, body }));
      await refresh(["sites"]);
      tellDone("The DHCP rules were saved");
      onClose();
    },
    reload: async () => {
      const saved = await bodyOf(api.GET("/sites/{site_id}", { params: { path } }));
      return { values: draftOf(saved.provisioning.dhcp), version: saved.version };
    },
  });
  const { values, set } = draft;
  return (
    <FormDrawer title="DHCP at the edge" draft={draft} onClose={onClose}>
      <Radio.Group label="What the edge does" value={values.mode} onChange={(mode) => set({ mode: mode as DhcpMode })}>
        <Stack gap="xs" mt="xs">
          {MODES.map((mode) => (
            <Radio key={mode.value} {...mode} />
          ))}
        </Stack>
      </Radio.Group>
      {values.mode === "off" ? (
        <Text c="dimmed" size="sm">
          Phones learn from the network's own server where their files are.
        </Text>
      ) : null}
      {values.mode === "beside" ? (
        <>
          <Text c="dimmed" size="sm">
            Another server gives the addresses. The edge tells phones that ask for more where their files are.
          </Text>
          <Switch
            label="Offers without an address"
            description="Also answers a phone's first question. Only for phones that wait for an offer with an address: many take the first one."
            checked={values.proxy_offers}
            onChange={(event) => set({ proxy_offers: event.currentTarget.checked })}
          />
        </>
      ) : null}
      {values.mode === "off" ? null : (
        <NumberInput label="Voice VLAN" description="Told to phones as option 132" min={1} max={4094} maw={200} {...draft.field("voice_vlan")} />
      )}
      {values.mode === "addresses" ? <Addresses draft={draft} /> : null}
    </FormDrawer>
  );
}

function Addresses({ draft }: { draft: Draft<DhcpDraft> }) {
  const { values, set } = draft;
  const change = (place: number, changes: Partial<RangeDraft>) =>
    set({ ranges: values.ranges.map((range, at) => (at === place ? { ...range, ...changes } : range)) });
  return (
    <>
      <Alert color="blue" title="For the phones' own network">
        The edge looks for other DHCP servers first, and gives no addresses where one answers.
      </Alert>
      <Switch
        label="Only phones that the site knows"
        description="Others get no address, and are seen in the portal"
        checked={values.known_only}
        onChange={(event) => set({ known_only: event.currentTarget.checked })}
      />
      {values.ranges.map((range, place) => (
        <Fieldset key={place} legend={`Network ${place + 1}`}>
          <Stack gap="sm">
            <RangeFields range={range} change={(changes) => change(place, changes)} />
            {values.ranges.length > 1 ? (
              <Button variant="subtle" color="red" onClick={() => set({ ranges: values.ranges.filter((_, at) => at !== place) })}>
                Remove this network
              </Button>
            ) : null}
          </Stack>
        </Fieldset>
      ))}
      {values.ranges.length < 8 ? (
        <Button variant="default" onClick={() => set({ ranges: [...values.ranges, NEW_RANGE] })}>
          Add a network
        </Button>
      ) : null}
    </>
  );
}

function RangeFields({ range, change }: { range: RangeDraft; change: (changes: Partial<RangeDraft>) => void }) {
  const text = (name: "network" | "first" | "last" | "router") => ({
    value: range[name],
    onChange: (event: { currentTarget: { value: string } }) => change({ [name]: event.currentTarget.value }),
  });
  return (
    <>
      <TextInput label="Network" placeholder="192.168.30.0/24" {...text("network")} />
      <Group grow align="flex-start">
        <TextInput label="First address" placeholder="192.168.30.100" {...text("first")} />
        <TextInput label="Last address" placeholder="192.168.30.200" {...text("last")} />
      </Group>
      <Group grow align="flex-start">
        <TextInput label="Router" placeholder="192.168.30.1" {...text("router")} />
        <NumberInput
          label="Lease, hours"
          min={0.1}
          max={168}
          value={range.lease_hours}
          onChange={(hours) => change({ lease_hours: Number(hours) })}
        />
      </Group>
      <TagsInput label="Name servers" maxTags={4} value={range.name_servers} onChange={(name_servers) => change({ name_servers })} />
      <TagsInput label="Time servers" maxTags={4} value={range.ntp_servers} onChange={(ntp_servers) => change({ ntp_servers })} />
      <Textarea
        label="Reservations"
        description="One a line: MAC address and address"
        placeholder="00:15:65:00:00:01 192.168.30.9"
        autosize
        minRows={2}
        maxRows={8}
        value={range.reservations}
        onChange={(event) => change({ reservations: event.currentTarget.value })}
      />
    </>
  );
}
