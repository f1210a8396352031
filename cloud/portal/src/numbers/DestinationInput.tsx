/** Whom a number reaches: chosen from the site's users, groups and mailboxes, or typed as it would be dialled. */
import { Autocomplete, Group, Text } from "@mantine/core";

import type { Destination } from "./destinations";

interface Props {
  label: string;
  description?: string;
  value: string;
  error?: string | undefined;
  destinations: readonly Destination[];
  onChange: (value: string) => void;
}

export function DestinationInput({ destinations, onChange, ...rest }: Props) {
  const names = new Map(destinations.map((one) => [one.value, one.label]));
  return (
    <Autocomplete
      {...rest}
      data={destinations.map((one) => one.value)}
      filter={({ options, search }) => {
        const wanted = search.trim().toLocaleLowerCase();
        return options.filter(
          (one) => "value" in one && `${one.value}\n${names.get(one.value) ?? ""}`.toLocaleLowerCase().includes(wanted),
        );
      }}
      limit={30}
      renderOption={({ option }) => (
        <Group gap="xs">
          <span className="mono">{option.value}</span>
          <Text size="sm">{names.get(option.value)}</Text>
        </Group>
      )}
      onChange={(value) => onChange(value.trim())}
    />
  );
}
