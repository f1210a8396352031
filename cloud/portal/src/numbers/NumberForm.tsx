/** Making or changing one number. */
import { TextInput } from "@mantine/core";
import { useState } from "react";

import type { InwardNumber, Plan, Site, User } from "../api/types";
import { listed } from "../dialplan/planPart";
import { usePart } from "../dialplan/usePart";
import { FormDrawer } from "../forms/FormDrawer";
import { tellDone } from "../shell/notices";
import { DestinationInput } from "./DestinationInput";
import { destinationsOf } from "./destinations";
import { clashes, reaches } from "./numbers";

export function numberPart(number: string) {
  return listed("numbers", (one: InwardNumber) => one.number, number);
}

interface Props {
  site: Site;
  plan: Plan;
  users: User[];
  /** undefined: a new one. */
  number?: InwardNumber;
  onClose: () => void;
}

export function NumberForm({ site, plan, users, number, onClose }: Props) {
  const [initial] = useState<InwardNumber>(() => number ?? { number: "", also: [], destination: "", name: "" });
  const [part, setPart] = useState(() => numberPart(initial.number));
  const draft = usePart<InwardNumber>({
    siteId: site.id,
    part,
    initial,
    isNew: number === undefined,
    check: (values) => {
      const wrong = new Map<string, string>();
      if (!/^\+?[0-9*#]+$/.test(values.number)) wrong.set("number", "The number is digits, perhaps with + before them");
      else if (values.number !== number?.number) {
        const taken = clashes(plan, users, [values.number]);
        if (taken.length > 0) wrong.set("number", taken.join(". "));
      }
      if (!values.destination) wrong.set("destination", "Say whom it reaches");
      else if (reaches(plan, users, values.destination) === undefined) {
        wrong.set("destination", `Nothing at the site is dialled by ${values.destination}`);
      }
      return wrong;
    },
    onSaved: (saved) => {
      tellDone(`Number ${saved.number} was saved and is being published`);
      onClose();
    },
  });
  return (
    <FormDrawer
      title={number ? `Number ${number.number}` : "New number"}
      saveLabel={number ? "Save" : "Add number"}
      draft={draft}
      onClose={onClose}
    >
      <TextInput
        label="Number"
        description="As the trunk or gateway sends it, made E.164 by its number format"
        placeholder="+4930123450"
        inputMode="tel"
        data-autofocus
        {...draft.text("number")}
        onChange={(event) => {
          const typed = event.currentTarget.value.trim();
          draft.set({ number: typed });
          if (!number) setPart(numberPart(typed));
        }}
      />
      <DestinationInput
        label="Reaches"
        description="A user, a group or a mailbox, by what is dialled for it"
        value={draft.values.destination}
        error={draft.problemAt("destination")}
        destinations={destinationsOf(plan, users)}
        onChange={(destination) => draft.set({ destination })}
      />
      <TextInput label="Name" description="For people, such as “Fax of the shop”" {...draft.text("name")} />
    </FormDrawer>
  );
}
