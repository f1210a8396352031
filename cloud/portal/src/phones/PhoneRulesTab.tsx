/** A site's rules for its phones: who is given what, on which networks, and how often. */
import { Button, Group, NumberInput, Stack, Switch, TagsInput, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { Site } from "../api/types";
import { HoursList } from "../dialplan/HoursList";
import { WeekHours } from "../dialplan/WeekHours";
import type { Hours } from "../dialplan/hours";
import { FormProblems } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone, tellProblem } from "../shell/notices";
import { Card } from "../sites/OverviewTab";

interface RuleValues {
  served_networks: string[];
  clear_text_networks: string[];
  proof_required: boolean;
  answer_unknown: boolean;
  approved_only: boolean;
  requests_per_minute_per_address: number;
  requests_per_minute_per_phone: number;
  server_name: string;
  firmware_hours: Hours[];
}

function valuesOf({ provisioning: rules }: Site): RuleValues {
  return {
    served_networks: rules.served_networks,
    clear_text_networks: rules.clear_text_networks,
    proof_required: rules.proof_required,
    answer_unknown: rules.answer_unknown,
    approved_only: rules.approved_only,
    requests_per_minute_per_address: rules.requests_per_minute_per_address,
    requests_per_minute_per_phone: rules.requests_per_minute_per_phone,
    server_name: rules.server_name ?? "",
    firmware_hours: rules.firmware_hours,
  };
}

/** What is sent for the rules that take the product's own defaults again. */
const DEFAULTS = {
  served_networks: null,
  clear_text_networks: null,
  proof_required: null,
  answer_unknown: null,
  approved_only: null,
  requests_per_minute_per_address: null,
  requests_per_minute_per_phone: null,
  server_name: null,
  firmware_hours: null,
};

export function PhoneRulesTab({ site }: { site: Site }) {
  const [saved, setSaved] = useState(site);
  return <RulesForm key={saved.version} site={saved} onSaved={setSaved} />;
}

function RulesForm({ site, onSaved }: { site: Site; onSaved: (site: Site) => void }) {
  const path = { site_id: site.id };
  const save = async (provisioning: object, version: number) => {
    const params = { path, header: ifMatch(version) };
    const saved = await bodyOf(api.PATCH("/sites/{site_id}", { params, body: { provisioning } }));
    tellDone("The rules were saved");
    onSaved(saved);
    await refresh(["sites"]);
  };
  const draft = useDraft<RuleValues>({
    initial: valuesOf(site),
    version: site.version,
    save: (_values, { server_name, ...changes }, version) =>
      save(server_name === undefined ? changes : { ...changes, server_name: server_name || null }, version),
    reload: async () => {
      const saved = await bodyOf(api.GET("/sites/{site_id}", { params: { path } }));
      return { values: valuesOf(saved), version: saved.version };
    },
  });
  const at = (field: keyof RuleValues) => ({ value: draft.values[field], error: draft.problemAt(`provisioning.${field}`) });
  const networks = (field: "served_networks" | "clear_text_networks") => ({
    ...at(field),
    value: draft.values[field],
    splitChars: [",", " "],
    placeholder: "192.168.10.0/24",
    classNames: { input: "mono" },
    onChange: (value: string[]) => draft.set({ [field]: value }),
  });
  const rate = (field: "requests_per_minute_per_address" | "requests_per_minute_per_phone") => ({
    ...at(field),
    value: draft.values[field],
    allowDecimal: false,
    allowNegative: false,
    maw: 240,
    onChange: (value: number | string) => {
      if (typeof value === "number") draft.set({ [field]: value });
    },
  });
  return (
    <form onSubmit={draft.submit} noValidate aria-label="Rules for phones">
      <Stack gap="md" maw={720}>
        <Text>
          A phone gets its file only when it is one of the site's devices and these rules let it. Any other appears under
          “Unknown phones”; what was refused, and why, stands there too.
        </Text>
        <Card title="Networks">
          <Stack gap="md">
            <TagsInput
              label="Networks that are served"
              description="Phones elsewhere get nothing: name the voice network here. Empty: every network"
              {...networks("served_networks")}
            />
            <TagsInput
              label="Networks where passwords may go in clear"
              description="By TFTP, FTP and HTTP, and by HTTPS to a phone that proves nothing. Empty: nowhere"
              {...networks("clear_text_networks")}
            />
          </Stack>
        </Card>
        <Card title="Proof and adoption">
          <Stack gap="md">
            <Switch
              label="Phones have to prove who they are, everywhere"
              description="By their factory certificate, or by the password that their first file told them"
              checked={draft.values.proof_required}
              error={draft.problemAt("provisioning.proof_required")}
              onChange={(event) => draft.set({ proof_required: event.currentTarget.checked })}
            />
            <Switch
              label="Plug and play answers unknown phones, too"
              description="They learn where to ask and are seen at once; they still get nothing secret until they are adopted"
              checked={draft.values.answer_unknown}
              error={draft.problemAt("provisioning.answer_unknown")}
              onChange={(event) => draft.set({ answer_unknown: event.currentTarget.checked })}
            />
            <Switch
              label="Approved phones only"
              description="A phone that is none of the site's devices gets nothing at all, no address by DHCP either; it appears under “Unknown phones” with that reason"
              checked={draft.values.approved_only}
              error={draft.problemAt("provisioning.approved_only")}
              onChange={(event) => draft.set({ approved_only: event.currentTarget.checked })}
            />
            <TextInput
              label="Name of the edge for HTTPS"
              description="Phones are told to fetch from it. Empty: the address that they register with"
              placeholder="phones.example.com"
              classNames={{ input: "mono" }}
              autoCapitalize="none"
              value={draft.values.server_name}
              error={draft.problemAt("provisioning.server_name")}
              onChange={(event) => draft.set({ server_name: event.currentTarget.value.trim() })}
            />
          </Stack>
        </Card>
        <Card title="Hours for new firmware">
          <Stack gap="md">
            <Text size="sm">
              Phones are told of new firmware within these hours, by the clocks of {site.time_zone}, and never during a
              call. None: at any time.
            </Text>
            {draft.values.firmware_hours.length > 0 ? (
              <WeekHours hours={draft.values.firmware_hours} name="new firmware" />
            ) : null}
            <HoursList
              hours={draft.values.firmware_hours}
              onChange={(firmware_hours) => draft.set({ firmware_hours })}
            />
            {draft.problemAt("provisioning.firmware_hours") ? (
              <Text size="sm" c="red" role="alert">
                {draft.problemAt("provisioning.firmware_hours")}
              </Text>
            ) : null}
          </Stack>
        </Card>
        <Card title="Requests in a minute">
          <Stack gap="md">
            <NumberInput label="Of one address" description="10 to 100,000" {...rate("requests_per_minute_per_address")} />
            <NumberInput label="Of one phone" description="10 to 10,000" {...rate("requests_per_minute_per_phone")} />
          </Stack>
        </Card>
        <FormProblems draft={draft} />
        <Group justify="flex-end">
          <Button variant="default" onClick={() => void save(DEFAULTS, site.version).catch(tellProblem)} disabled={draft.saving}>
            All back to default
          </Button>
          <Button type="submit" loading={draft.saving} disabled={!draft.isTouched}>
            Save rules
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
