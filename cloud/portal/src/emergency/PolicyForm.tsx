/** Who is told of a call for help, and for how long its number calls back. */
import { MultiSelect, NumberInput, TagsInput } from "@mantine/core";

import type { EmergencyPolicy, Site, User } from "../api/types";
import type { PlanPart } from "../dialplan/planPart";
import { usePart } from "../dialplan/usePart";
import { FormDrawer } from "../forms/FormDrawer";
import { tellDone } from "../shell/notices";

const PART: PlanPart<EmergencyPolicy> = {
  find: (plan) => plan.emergency,
  put: (plan, value) => (value ? { ...plan, emergency: value } : plan),
  at: () => "emergency",
};

interface Props {
  site: Site;
  policy: EmergencyPolicy;
  users: User[];
  onClose: () => void;
}

export function PolicyForm({ site, policy, users, onClose }: Props) {
  const draft = usePart<EmergencyPolicy>({
    siteId: site.id,
    part: PART,
    initial: policy,
    isNew: false,
    onSaved: () => {
      tellDone("Who is told was saved and is being published");
      onClose();
    },
  });
  return (
    <FormDrawer title="When somebody calls for help" draft={draft} onClose={onClose}>
      <MultiSelect
        label="Phones that show it at once"
        description="Of these users, also while the cloud is away"
        searchable
        data={users.map((one) => ({ value: one.id, label: one.display_name || one.username }))}
        {...draft.field("notified_users")}
      />
      <TagsInput
        label="Mail goes to"
        description="Addresses; Enter adds one"
        acceptValueOnBlur
        {...draft.field("mail_to")}
      />
      <NumberInput
        label="Call back"
        description="For so many minutes a call to the number of the place rings the phone that called; 0: never"
        min={0}
        max={1440}
        allowDecimal={false}
        value={draft.values.callback_minutes}
        error={draft.problemAt("callback_minutes")}
        onChange={(value) => draft.set({ callback_minutes: Number(value) || 0 })}
      />
    </FormDrawer>
  );
}
