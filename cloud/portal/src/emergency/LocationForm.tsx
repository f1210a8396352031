/** Making or changing a place that help can be sent to. */
import { Fieldset, SimpleGrid, TextInput, Textarea } from "@mantine/core";
import { useState } from "react";

import type { EmergencyLocation, Plan, Site } from "../api/types";
import { freshId } from "../dialplan/plan";
import { listed } from "../dialplan/planPart";
import { usePart } from "../dialplan/usePart";
import { FormDrawer } from "../forms/FormDrawer";
import { tellDone } from "../shell/notices";
import { CIVIC, wrongWith } from "./emergency";

export function locationPart(id: string) {
  return listed("locations", (one: EmergencyLocation) => one.location_id, id);
}

function fresh(plan: Plan): EmergencyLocation {
  const civic = Object.fromEntries(CIVIC.map(({ name }) => [name, ""])) as EmergencyLocation["civic"];
  const location_id = freshId("location", (plan.locations ?? []).map((one) => one.location_id));
  return { location_id, name: "", caller_id: "", address: "", civic };
}

interface Props {
  site: Site;
  plan: Plan;
  /** undefined: a new one. */
  location?: EmergencyLocation;
  onClose: () => void;
}

export function LocationForm({ site, plan, location, onClose }: Props) {
  const [initial] = useState(() => location ?? fresh(plan));
  const draft = usePart<EmergencyLocation>({
    siteId: site.id,
    part: locationPart(initial.location_id),
    initial,
    isNew: location === undefined,
    check: wrongWith,
    onSaved: (saved) => {
      tellDone(`${saved.name} was saved and is being published`);
      onClose();
    },
  });
  return (
    <FormDrawer
      title={location ? `Place ${location.name}` : "New place"}
      saveLabel={location ? "Save" : "Add place"}
      draft={draft}
      onClose={onClose}
    >
      <TextInput label="Name" placeholder="Hall, ground floor" data-autofocus {...draft.text("name")} />
      <TextInput
        label="Its number (ELIN)"
        description="Shown to emergency services; a call back to it rings the phone that called"
        placeholder="+4930123450"
        inputMode="tel"
        {...draft.text("caller_id")}
      />
      <Textarea
        label="Address"
        description="As people read it: street, building, floor, room; empty: made of the parts below"
        autosize
        minRows={2}
        {...draft.text("address")}
      />
      <Fieldset legend="The address in its parts" miw={0}>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          {CIVIC.map(({ name, label }) => (
            <TextInput
              key={name}
              label={label}
              value={draft.values.civic[name]}
              error={draft.problemAt(`civic.${name}`)}
              onChange={(event) => draft.set({ civic: { ...draft.values.civic, [name]: event.currentTarget.value } })}
            />
          ))}
        </SimpleGrid>
      </Fieldset>
    </FormDrawer>
  );
}
