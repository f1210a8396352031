/** One attendant: its number, its menus as a tree beside the one that is edited, and when which of them is heard. */
import { Button, Group, MultiSelect, Select, SimpleGrid, Stack, Switch, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";

import type { Attendant, Plan, Site, User, VoiceService } from "../api/types";
import type { PlanPart } from "../dialplan/planPart";
import { listed } from "../dialplan/planPart";
import { usePart } from "../dialplan/usePart";
import { FormProblems } from "../forms/FormDrawer";
import { DestinationInput } from "../numbers/DestinationInput";
import { destinationsOf } from "../numbers/destinations";
import { Card } from "../sites/OverviewTab";
import { tellDone } from "../shell/notices";
import { PERMISSIONS } from "../users/permissions";
import { LANGUAGES } from "../voicemail/voicemailText";
import { missing, newAttendant } from "./attendant";
import { MenuPanel } from "./MenuPanel";
import { MenuTree } from "./MenuTree";
import { TimesCard } from "./TimesCard";

const OUTWARD = PERMISSIONS.filter((one) => /Dialing$|^Mobile$|^TollFree$/.test(one.value));

export function partOf(id: string): PlanPart<Attendant> {
  return listed("voice_services", (one: VoiceService) => one.service_id, id) as unknown as PlanPart<Attendant>;
}

interface Props {
  site: Site;
  plan: Plan;
  users: User[];
  /** undefined: a new one. */
  attendant?: Attendant;
  onClose: () => void;
}

export function AttendantEditor({ site, plan, users, attendant, onClose }: Props) {
  const [initial] = useState<Attendant>(() => attendant ?? newAttendant(plan));
  const draft = usePart<Attendant>({
    siteId: site.id,
    part: partOf(initial.service_id),
    initial,
    isNew: attendant === undefined,
    check: missing,
    onSaved: (saved) => {
      tellDone(`${saved.name} was saved and is being published`);
      onClose();
    },
  });
  const values = draft.values;
  const [selected, setSelected] = useState(initial.first_menu);
  const menu = values.menus.find((one) => one.menu_id === selected) ?? values.menus[0];
  const destinations = useMemo(() => destinationsOf(plan, users), [plan, users]);
  const title = attendant ? `Attendant ${attendant.name}` : "New attendant";
  return (
    <form onSubmit={draft.submit} noValidate aria-label={title}>
      <Stack>
        <Card title={title}>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TextInput label="Name" {...draft.text("name")} />
            <TextInput label="Extension" inputMode="numeric" {...draft.text("extension")} />
            <Select label="Language" allowDeselect={false} data={LANGUAGES} {...draft.field("language")} onChange={(language) => draft.set({ language: language ?? "en" })} />
            <DestinationInput
              label="Operator"
              description="Empty: there is none"
              destinations={destinations}
              value={values.operator ?? ""}
              error={draft.problemAt("operator")}
              onChange={(operator) => draft.set({ operator: operator || null })}
            />
            <MultiSelect
              label="May dial, for every caller"
              description="Nothing chosen: no outside line"
              data={[...OUTWARD]}
              {...draft.field("permissions")}
            />
            <MultiSelect
              label="Who is not to be found"
              description="Neither by name nor by extension"
              searchable
              data={users.map((one) => ({ value: one.id, label: one.display_name || one.username }))}
              {...draft.field("unlisted")}
            />
            <Switch
              label="Switched on"
              checked={values.enabled ?? true}
              onChange={(event) => draft.set({ enabled: event.currentTarget.checked })}
            />
          </SimpleGrid>
        </Card>
        <Card title="Menus">
          <div className="attendant-editor">
            <MenuTree attendant={values} plan={plan} selected={menu?.menu_id ?? ""} onSelect={setSelected} />
            {menu ? (
              <MenuPanel
                key={menu.menu_id}
                attendant={values}
                menu={menu}
                tenantId={site.tenant_id}
                destinations={destinations}
                onChange={(changed) => draft.set({ menus: changed.menus })}
                onSelect={setSelected}
              />
            ) : null}
          </div>
        </Card>
        <Card title="Times">
          <TimesCard attendant={values} plan={plan} onChange={draft.set} />
        </Card>
        {draft.problemAt("menus") ? <FormProblems draft={{ ...draft, problems: [draft.problemAt("menus")!, ...draft.problems] }} /> : <FormProblems draft={draft} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={draft.saving}>
            {attendant ? "Save" : "Add attendant"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
