/** Whether callers may hang up and be called back, at which numbers, and how often that is tried. */
import { MultiSelect, NumberInput, Stack, Switch, TextInput } from "@mantine/core";

import type { Draft } from "../forms/useDraft";
import { PERMISSIONS } from "../users/permissions";
import { freshCallBack, type CallBackOffer, type CallQueue } from "./queueEditor";

type Whole = "after_seconds" | "ring_seconds" | "attempts" | "retry_minutes" | "keep_hours";

const NUMBERS: readonly { name: Whole; label: string; help?: string; min: number; max: number }[] = [
  { name: "after_seconds", label: "Seconds until it is offered", help: "Then it is with each announcement", min: 0, max: 3600 },
  { name: "ring_seconds", label: "Seconds that the caller’s phone rings", min: 10, max: 120 },
  { name: "attempts", label: "How often a caller is tried", min: 1, max: 10 },
  { name: "retry_minutes", label: "Minutes between two tries", min: 1, max: 240 },
  { name: "keep_hours", label: "Hours that a wish is kept", help: "While no agent has time for it", min: 1, max: 72 },
];

export function QueueEditorCallBack({ draft }: { draft: Draft<CallQueue> }) {
  const offer = draft.values.call_back;
  const change = (changes: Partial<CallBackOffer>) => offer && draft.set({ call_back: { ...offer, ...changes } });
  return (
    <Stack gap="xs">
      <Switch
        label="Offer to call back"
        description="Callers press a key, hang up, keep their place, and are called when an agent is free"
        checked={Boolean(offer)}
        onChange={(event) => draft.set({ call_back: event.currentTarget.checked ? freshCallBack() : null })}
      />
      {offer ? (
        <>
          <TextInput
            label="Key to be called back"
            value={offer.key}
            error={draft.problemAt("call_back")}
            onChange={(event) => change({ key: event.currentTarget.value })}
          />
          <Switch
            label="Another number may be keyed in"
            description="Else callers are called at the number that they show"
            checked={offer.other_number}
            onChange={(event) => change({ other_number: event.currentTarget.checked })}
          />
          <MultiSelect
            label="Calls back may be"
            description="Extensions always; outside numbers as far as the dial plan asks for one of these"
            searchable
            data={[...PERMISSIONS]}
            value={[...offer.permissions]}
            onChange={(permissions) => change({ permissions })}
          />
          {NUMBERS.map(({ name, label, help, min, max }) => (
            <NumberInput
              key={name}
              label={label}
              description={help}
              min={min}
              max={max}
              allowDecimal={false}
              value={offer[name]}
              onChange={(value) => change({ [name]: Number(value) || 0 })}
            />
          ))}
        </>
      ) : null}
    </Stack>
  );
}
