/** One gateway: where it is, what calls show that leave by it, and how it writes numbers. */
import { Fieldset, Group, NumberInput, Select, Stack, Switch, TextInput } from "@mantine/core";
import { useState } from "react";

import type { Gateway } from "../api/types";
import { PlanPanel } from "./PlanPanel";
import { wrongWith } from "./gateway";

interface Props {
  gateway: Gateway;
  isNew: boolean;
  onClose: () => void;
  onDone: (gateway: Gateway) => void;
}

export function GatewayPanel({ gateway, isNew, onClose, onDone }: Props) {
  const [draft, setDraft] = useState(gateway);
  const set = (changes: Partial<Gateway>) => setDraft((before) => ({ ...before, ...changes }));
  const { numbers, incoming } = draft;
  return (
    <PlanPanel
      title={isNew ? "New gateway" : `Gateway ${gateway.name}`}
      action={isNew ? "Add gateway" : "Take over"}
      check={() => wrongWith(draft)}
      onClose={onClose}
      onDone={() => onDone(draft)}
    >
      <TextInput label="Name" value={draft.name} onChange={(event) => set({ name: event.currentTarget.value })} />
      <Switch label="In use" checked={draft.enabled ?? true} onChange={(event) => set({ enabled: event.currentTarget.checked })} />
      <Group grow align="flex-start">
        <TextInput
          label="Address"
          description="Or a host name"
          value={draft.host}
          onChange={(event) => set({ host: event.currentTarget.value.trim() })}
        />
        <NumberInput
          label="Port"
          description="0: as the name says, or 5060"
          min={0}
          max={65535}
          allowDecimal={false}
          value={draft.port ?? 0}
          onChange={(port) => set({ port: Number(port) || 0 })}
        />
      </Group>
      <Select
        label="Transport"
        data={[
          { value: "udp", label: "UDP" },
          { value: "tcp", label: "TCP" },
          { value: "tls", label: "TLS" },
        ]}
        allowDeselect={false}
        value={draft.transport ?? "udp"}
        onChange={(transport) => set({ transport: (transport ?? "udp") as Gateway["transport"] })}
      />
      <Fieldset legend="Calls that leave">
        <Stack gap="sm">
          <TextInput
            label="Caller ID"
            description="What calls show whose user has no number of his own"
            placeholder="+4930…"
            value={draft.caller_id ?? ""}
            onChange={(event) => set({ caller_id: event.currentTarget.value.trim() || null })}
          />
          <Switch
            label="Show this caller ID for everybody"
            checked={draft.ignore_user_caller_id ?? false}
            onChange={(event) => set({ ignore_user_caller_id: event.currentTarget.checked })}
          />
          <Switch
            label="Let every call leave anonymously"
            checked={draft.block_caller_id ?? false}
            onChange={(event) => set({ block_caller_id: event.currentTarget.checked })}
          />
          <Select
            label="How it wants numbers"
            data={[
              { value: "plus", label: "With plus: +41441112233" },
              { value: "digits", label: "Without plus: 41441112233" },
              { value: "national", label: "As dialled in the country: 0441112233" },
            ]}
            allowDeselect={false}
            value={numbers?.style ?? "plus"}
            onChange={(style) => set({ numbers: { ...numbers, style: style as NonNullable<typeof numbers>["style"] } })}
          />
          {numbers?.style === "national" ? (
            <TextInput
              label="Country code of the gateway"
              value={numbers.country_code ?? ""}
              onChange={(event) => set({ numbers: { ...numbers, country_code: event.currentTarget.value.trim() } })}
            />
          ) : null}
          <TextInput
            label="Put before every number"
            value={draft.prefix ?? ""}
            onChange={(event) => set({ prefix: event.currentTarget.value.trim() })}
          />
          <Switch
            label="Send the caller’s place with calls for help"
            description="Where the provider takes it (RFC 6442)"
            checked={draft.send_location ?? false}
            onChange={(event) => set({ send_location: event.currentTarget.checked })}
          />
        </Stack>
      </Fieldset>
      <Fieldset legend="Calls that come">
        <Stack gap="sm">
          <Select
            label="How it writes the called number"
            data={[
              { value: "as_sent", label: "As numbers and extensions of the plan" },
              { value: "digits", label: "Without plus: 41441112233" },
              { value: "national", label: "As dialled in the country: 0441112233" },
            ]}
            allowDeselect={false}
            value={incoming?.style ?? "as_sent"}
            onChange={(style) => set({ incoming: { ...incoming, style: style as NonNullable<typeof incoming>["style"] } })}
          />
          {incoming?.style === "national" ? (
            <TextInput
              label="Country code of called numbers"
              value={incoming.country_code ?? ""}
              onChange={(event) => set({ incoming: { ...incoming, country_code: event.currentTarget.value.trim() } })}
            />
          ) : null}
          <TextInput
            label="Take off its beginning"
            value={incoming?.strip ?? ""}
            onChange={(event) => set({ incoming: { ...incoming, strip: event.currentTarget.value.trim() } })}
          />
          <TextInput
            label="Then put before it"
            value={incoming?.prefix ?? ""}
            onChange={(event) => set({ incoming: { ...incoming, prefix: event.currentTarget.value.trim() } })}
          />
        </Stack>
      </Fieldset>
    </PlanPanel>
  );
}
