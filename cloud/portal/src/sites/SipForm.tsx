/** Changing what a site decides about its SIP. */
import { Alert, Button, Fieldset, Group, NumberInput, Select, Stack, Switch, TagsInput, TextInput, type TagsInputProps } from "@mantine/core";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { Site, SipRules } from "../api/types";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft, type Draft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { COUNTRIES } from "./countries";
import { MediaExceptions } from "./MediaExceptions";
import { FROM_POLICIES, RELAY_MEDIA, asNetworks } from "./sipPolicy";

type Rules = Omit<SipRules, "numbers_for_help">;
type Peer = Rules["trusted_peers"][number];

/** Long names are cut off rather than making the panel scroll sideways. */
function Words(props: TagsInputProps) {
  return <TagsInput styles={{ pill: { maxWidth: "15rem" }, inputField: { minWidth: 60 } }} {...props} />;
}

interface SipValues {
  sip: Rules;
}

function valuesOf(site: Site): SipValues {
  const { numbers_for_help: _, ...sip } = site.sip;
  return { sip };
}

export function SipForm({ site, onClose }: { site: Site; onClose: () => void }) {
  const path = { site_id: site.id };
  const draft = useDraft<SipValues>({
    initial: valuesOf(site),
    version: site.version,
    save: async (values, _, version) => {
      const body = { sip: values.sip };
      await bodyOf(api.PATCH("/sites/{site_id}", { params: { path, header: ifMatch(version) }, body }));
      await refresh(["sites"]);
      tellDone("The SIP rules were saved");
      onClose();
    },
    reload: async () => {
      const saved = await bodyOf(api.GET("/sites/{site_id}", { params: { path } }));
      return { values: valuesOf(saved), version: saved.version };
    },
  });
  const { sip } = draft.values;
  const set = (changes: Partial<Rules>) => draft.set({ sip: { ...sip, ...changes } });
  return (
    <FormDrawer title={`SIP rules of ${site.name}`} draft={draft} onClose={onClose}>
      <Select
        label="What phones may name as caller"
        data={FROM_POLICIES}
        allowDeselect={false}
        value={sip.from_policy}
        error={draft.problemAt("sip.from_policy")}
        onChange={(chosen) => set({ from_policy: (chosen ?? "strict") as Rules["from_policy"] })}
      />
      <Select
        label="Country"
        description="Its emergency numbers need no password and no permission"
        placeholder="None"
        data={COUNTRIES}
        searchable
        clearable
        value={sip.country}
        error={draft.problemAt("sip.country")}
        onChange={(country) => set({ country })}
      />
      <Words
        label="Further numbers for help"
        description="Such as a works fire brigade"
        value={sip.emergency_numbers}
        error={draft.problemAt("sip.emergency_numbers")}
        onChange={(emergency_numbers) => set({ emergency_numbers })}
      />
      <Words
        label="Hosts beyond the site"
        description="Names or addresses that users may send requests to; everything else is refused"
        value={sip.foreign_hosts}
        error={draft.problemAt("sip.foreign_hosts")}
        onChange={(hosts) => set({ foreign_hosts: hosts.map((host) => host.trim().toLowerCase()) })}
      />
      <NumberInput
        label="Ask gateways whether they are there"
        description="Seconds from one question to the next; 0: never"
        min={0}
        max={3600}
        allowDecimal={false}
        value={sip.qualify_gateways_seconds}
        error={draft.problemAt("sip.qualify_gateways_seconds")}
        onChange={(seconds) => set({ qualify_gateways_seconds: Number(seconds) || 0 })}
      />
      <NumberInput
        label="Ask phones whether they are there"
        description="Seconds from one question to the next; 0: never"
        min={0}
        max={3600}
        allowDecimal={false}
        value={sip.qualify_phones_seconds}
        error={draft.problemAt("sip.qualify_phones_seconds")}
        onChange={(seconds) => set({ qualify_phones_seconds: Number(seconds) || 0 })}
      />
      <Select
        label="Which phones are asked"
        data={[
          { value: "behind_nat", label: "Those behind NAT" },
          { value: "all", label: "All of them" },
        ]}
        allowDeselect={false}
        value={sip.qualify_phones}
        error={draft.problemAt("sip.qualify_phones")}
        onChange={(chosen) => set({ qualify_phones: (chosen ?? "behind_nat") as Rules["qualify_phones"] })}
      />
      <Select
        label="Media of calls through the edge"
        data={RELAY_MEDIA}
        allowDeselect={false}
        value={sip.relay_media}
        error={draft.problemAt("sip.relay_media")}
        onChange={(chosen) => set({ relay_media: (chosen ?? "behind_nat") as Rules["relay_media"] })}
      />
      <Words
        label="The site’s own networks"
        description="Such as 10.0.0.0/16; phones anywhere else are remote. None: every private address is the site’s"
        value={sip.local_networks}
        error={draft.problemAt("sip.local_networks")}
        onChange={(networks) => set({ local_networks: asNetworks(networks) })}
      />
      <Switch
        label="Two phones behind the same NAT send to each other"
        checked={sip.direct_behind_one_nat}
        onChange={(event) => set({ direct_behind_one_nat: event.currentTarget.checked })}
      />
      <Switch
        label="Remote phones by TLS only"
        checked={sip.remote_tls_only}
        onChange={(event) => set({ remote_tls_only: event.currentTarget.checked })}
      />
      <MediaExceptions
        site={site}
        exceptions={sip.media_exceptions}
        set={(media_exceptions) => set({ media_exceptions })}
        error={draft.problemAt("sip.media_exceptions")}
      />
      <Peers draft={draft} peers={sip.trusted_peers} set={(trusted_peers) => set({ trusted_peers })} />
    </FormDrawer>
  );
}

interface PeersProps {
  draft: Draft<SipValues>;
  peers: readonly Peer[];
  set: (peers: Peer[]) => void;
}

function Peers({ draft, peers, set }: PeersProps) {
  const change = (at: number, changes: Partial<Peer>) =>
    set(peers.map((peer, place) => (place === at ? { ...peer, ...changes } : peer)));
  return (
    <Stack gap="sm">
      {peers.map((peer, at) => {
        const problem = (field: string) => draft.problemAt(`sip.trusted_peers.${at}.${field}`);
        const whole = draft.problemAt(`sip.trusted_peers.${at}`);
        const hasOwn = ["name", "networks", "port", "certificate_names"].some((field) => problem(field));
        return (
          <Fieldset key={at} miw={0} legend={peer.name || "Trusted peer"}>
            <Stack gap="sm">
              <TextInput
                label="Peer"
                placeholder="Trunk"
                value={peer.name}
                error={problem("name")}
                onChange={(event) => change(at, { name: event.currentTarget.value })}
              />
              <Words
                label="Addresses"
                description="Addresses or networks that it sends from"
                value={peer.networks}
                error={problem("networks")}
                onChange={(typed) => change(at, { networks: asNetworks(typed) })}
              />
              <NumberInput
                label="UDP port"
                description="0: any"
                min={0}
                max={65535}
                allowDecimal={false}
                value={peer.port}
                error={problem("port")}
                onChange={(port) => change(at, { port: Number(port) || 0 })}
              />
              <Words
                label="Certificate names"
                description="On TLS connections that it opens"
                value={peer.certificate_names}
                error={problem("certificate_names")}
                onChange={(names) => change(at, { certificate_names: names.map((name) => name.trim().toLowerCase()) })}
              />
              {whole && !hasOwn ? <Alert color="red">{whole}</Alert> : null}
              <Group justify="flex-end">
                <Button
                  size="compact-sm"
                  variant="subtle"
                  color="red"
                  onClick={() => set(peers.filter((_, place) => place !== at))}
                >
                  Remove
                </Button>
              </Group>
            </Stack>
          </Fieldset>
        );
      })}
      <Group>
        <Button
          variant="default"
          size="compact-sm"
          onClick={() => set([...peers, { name: "", networks: [], port: 0, certificate_names: [] }])}
        >
          Add a trusted peer
        </Button>
      </Group>
    </Stack>
  );
}
