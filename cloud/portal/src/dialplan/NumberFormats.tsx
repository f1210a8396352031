/** How a way to the public network writes numbers, in each direction. */
import { Select, SimpleGrid, TextInput } from "@mantine/core";

import type { Trunk } from "../api/types";

interface Side<N> {
  value: N;
  onChange: (value: N) => void;
  problemAt: (field: string) => string | undefined;
}

const STYLES = [
  { value: "plus", label: "With plus: +41441112233" },
  { value: "digits", label: "Without plus: 41441112233" },
  { value: "national", label: "As dialled in the country: 0441112233" },
];

export function LeavingNumbers({ value, onChange, problemAt }: Side<Trunk["numbers"]>) {
  return (
    <>
      <Select
        label="How it wants numbers"
        data={STYLES}
        allowDeselect={false}
        value={value.style}
        error={problemAt("numbers.style")}
        onChange={(style) => onChange({ ...value, style: style as Trunk["numbers"]["style"] })}
      />
      {value.style === "national" ? <Country name="numbers" value={value} onChange={onChange} problemAt={problemAt} /> : null}
    </>
  );
}

export function ComingNumbers({ value, onChange, problemAt }: Side<Trunk["incoming"]>) {
  return (
    <>
      <Select
        label="How it writes the called number"
        data={[{ value: "as_sent", label: "As numbers and extensions of the plan" }, ...STYLES.slice(1)]}
        allowDeselect={false}
        value={value.style}
        error={problemAt("incoming.style")}
        onChange={(style) => onChange({ ...value, style: style as Trunk["incoming"]["style"] })}
      />
      {value.style === "national" ? <Country name="incoming" value={value} onChange={onChange} problemAt={problemAt} /> : null}
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        {(
          [
            ["strip", "Take off its beginning"],
            ["prefix", "Then put before it"],
          ] as const
        ).map(([name, label]) => (
          <TextInput
            key={name}
            label={label}
            value={value[name]}
            error={problemAt(`incoming.${name}`)}
            onChange={(event) => onChange({ ...value, [name]: event.currentTarget.value.trim() })}
          />
        ))}
      </SimpleGrid>
    </>
  );
}

type Countries = Pick<Trunk["numbers"], "country_code" | "national_prefix" | "international_prefix">;

function Country<N extends Countries>({ name, value, onChange, problemAt }: Side<N> & { name: string }) {
  return (
    <SimpleGrid cols={{ base: 1, xs: 3 }}>
      {(
        [
          ["country_code", "Country code", "49, 41, 1"],
          ["national_prefix", "Before national numbers", "0"],
          ["international_prefix", "Before international ones", "00"],
        ] as const
      ).map(([part, label, placeholder]) => (
        <TextInput
          key={part}
          label={label}
          placeholder={placeholder}
          value={value[part]}
          error={problemAt(`${name}.${part}`)}
          onChange={(event) => onChange({ ...value, [part]: event.currentTarget.value.trim() })}
        />
      ))}
    </SimpleGrid>
  );
}
