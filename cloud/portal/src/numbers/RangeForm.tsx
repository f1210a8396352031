/** Giving a whole range of numbers at once: each to its own extension by offset, or all to one place. */
import { Alert, NumberInput, SegmentedControl, Table, Text, TextInput } from "@mantine/core";

import { ProblemError } from "../api/problem";
import type { Plan, Site, User } from "../api/types";
import { readPlan, savePlan } from "../dialplan/savePart";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { DestinationInput } from "./DestinationInput";
import { destinationsOf } from "./destinations";
import { MOST_AT_ONCE, clashes, mapped, rangeOf, reaches } from "./numbers";

const PREVIEW = 8;
const NAMED = 10;

interface Props {
  site: Site;
  plan: Plan;
  users: User[];
  onClose: () => void;
}

export function RangeForm({ site, plan, users, onClose }: Props) {
  const draft = useDraft({
    initial: { first: "", count: 10, way: "offset", destination: "", name: "" },
    save: async (values) => {
      const saved = await readPlan(site.id);
      const wrong = problemsOf(saved.document);
      if (wrong.size > 0) throw new ProblemError(422, "Some fields cannot be accepted", "", wrong);
      const added = mapped(rangeOf(values.first, values.count), values.destination, values.way === "offset", values.name);
      await savePlan(site.id, { ...saved.document, numbers: [...(saved.document.numbers ?? []), ...added] }, saved.version);
      tellDone(`${added.length} numbers were added and are being published`);
      onClose();
    },
  });
  const { first, count, way, destination, name } = draft.values;
  const numbers = rangeOf(first, count);
  const offset = way === "offset";
  const shown = destination ? mapped(numbers, destination, offset, name) : [];
  const problemsOf = (current: Plan) => {
    const wrong = new Map<string, string>();
    if (numbers.length === 0) wrong.set("first", "The first number is digits, perhaps with + before them");
    const taken = clashes(current, users, numbers);
    if (taken.length > 0) {
      const more = taken.length - NAMED;
      wrong.set("first", [...taken.slice(0, NAMED), ...(more > 0 ? [`${more} more are taken`] : [])].join(". "));
    }
    if (!destination) wrong.set("destination", "Say whom they reach");
    else if (!offset && reaches(current, users, destination) === undefined) {
      wrong.set("destination", `Nothing at the site is dialled by ${destination}`);
    } else if (offset && rangeOf(destination, 1).length === 0) {
      wrong.set("destination", "The extension of the first number is digits; the others count up from it");
    }
    return wrong;
  };
  const nobody = shown.filter((one) => reaches(plan, users, one.destination) === undefined).length;
  return (
    <FormDrawer title="New range of numbers" saveLabel={`Add ${numbers.length || ""} numbers`} draft={draft} onClose={onClose}>
      <TextInput
        label="First number"
        placeholder="+4930123450"
        inputMode="tel"
        data-autofocus
        {...draft.text("first")}
        onChange={(event) => draft.set({ first: event.currentTarget.value.trim() })}
      />
      <NumberInput
        label="How many"
        min={1}
        max={MOST_AT_ONCE}
        allowDecimal={false}
        value={count}
        onChange={(value) => draft.set({ count: Number(value) || 1 })}
      />
      <SegmentedControl
        aria-label="How they are given"
        data={[
          { value: "offset", label: "Each to its extension" },
          { value: "one", label: "All to one place" },
        ]}
        value={way}
        onChange={(value) => draft.set({ way: value })}
      />
      <DestinationInput
        label={offset ? "Extension of the first number" : "They reach"}
        value={destination}
        error={draft.problemAt("destination")}
        destinations={destinationsOf(plan, users)}
        onChange={(value) => draft.set({ destination: value })}
      />
      <TextInput label="Name" description="Of each of them, for people" {...draft.text("name")} />
      {nobody > 0 ? (
        <Alert color="yellow">
          {nobody === 1 ? "One of them reaches nobody yet" : `${nobody} of them reach nobody yet`}: there is no such extension.
          They ring as soon as there is.
        </Alert>
      ) : null}
      {shown.length > 0 ? (
        <Table aria-label="What they reach">
          <Table.Tbody>
            {shown.slice(0, PREVIEW).map((one) => (
              <Table.Tr key={one.number}>
                <Table.Td className="mono">{one.number}</Table.Td>
                <Table.Td className="mono">{one.destination}</Table.Td>
                <Table.Td>{reaches(plan, users, one.destination) ?? <Text c="dimmed">nobody yet</Text>}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      ) : null}
      {shown.length > PREVIEW ? (
        <Text size="sm" c="dimmed">
          … until {shown.at(-1)?.number}, which reaches {shown.at(-1)?.destination}.
        </Text>
      ) : null}
    </FormDrawer>
  );
}
