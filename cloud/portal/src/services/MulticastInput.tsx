/** Whether a page goes to a multicast address as well, and to which. */
import { Group, NumberInput, Select, Switch, TextInput } from "@mantine/core";

import type { Paging } from "../api/types";
import { CODECS, freshMulticast } from "./multicast";

type Multicast = NonNullable<Paging["multicast"]>;

interface Props {
  value: Multicast | null;
  /** What is wrong with a field, `multicast.port` say. */
  problemAt: (field: string) => string | undefined;
  onChange: (value: Multicast | null) => void;
}

export function MulticastInput({ value, problemAt, onChange }: Props) {
  return (
    <>
      <Switch
        label="By multicast"
        description="One stream for all phones that listen: those of members are told to where their vendor says how, and the other members are called"
        checked={value !== null}
        onChange={(event) => onChange(event.currentTarget.checked ? freshMulticast() : null)}
      />
      {value ? (
        <>
          <Group grow align="start">
            <TextInput
              label="Multicast address"
              description="239.0.0.0 to 239.255.255.255"
              value={value.address}
              error={problemAt("multicast.address")}
              onChange={(event) => onChange({ ...value, address: event.currentTarget.value.trim() })}
            />
            <NumberInput
              label="Port"
              description="An even one"
              allowDecimal={false}
              hideControls
              value={value.port}
              error={problemAt("multicast.port")}
              onChange={(port) => onChange({ ...value, port: Number(port) || 0 })}
            />
          </Group>
          <Group grow align="start">
            <NumberInput
              label="Priority"
              description="1 goes before 10"
              allowDecimal={false}
              min={1}
              max={10}
              value={value.priority}
              error={problemAt("multicast.priority")}
              onChange={(priority) => onChange({ ...value, priority: Number(priority) || 1 })}
            />
            <NumberInput
              label="Networks it may cross"
              description="1: it stays in the edge’s"
              allowDecimal={false}
              min={1}
              max={32}
              value={value.hops}
              error={problemAt("multicast.hops")}
              onChange={(hops) => onChange({ ...value, hops: Number(hops) || 1 })}
            />
          </Group>
          <Select
            label="Codec"
            data={CODECS}
            allowDeselect={false}
            value={value.codec ?? "pcmu"}
            onChange={(codec) => onChange({ ...value, codec: codec === "g722" ? "g722" : "pcmu" })}
          />
        </>
      ) : null}
    </>
  );
}
