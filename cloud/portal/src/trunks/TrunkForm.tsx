/** Making or changing a trunk, and what it proves itself with. */
import { Anchor, Button, Fieldset, Group, List, PasswordInput, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh } from "../api/live";
import { ProblemError } from "../api/problem";
import type { Plan, Site, Trunk, TrunkTemplate } from "../api/types";
import { ComingNumbers, LeavingNumbers } from "../dialplan/NumberFormats";
import { listed } from "../dialplan/planPart";
import { usePart } from "../dialplan/usePart";
import { Fields } from "../forms/Fields";
import { FormDrawer } from "../forms/FormDrawer";
import { tellDone, tellProblem } from "../shell/notices";
import { freshTrunk, wrongWith } from "./trunk";
import { ACCOUNT, CALLER, COMING, LIMITS, REACHED } from "./trunkFields";

interface Props {
  site: Site;
  plan: Plan;
  /** undefined: a new one, by `template`. */
  trunk?: Trunk;
  template?: TrunkTemplate;
  hasPassword: boolean;
  onClose: () => void;
}

export function TrunkForm({ site, plan, trunk, template, hasPassword, onClose }: Props) {
  const [initial] = useState(() => trunk ?? freshTrunk(plan, template));
  const [password, setPassword] = useState("");
  const [passwordProblem, setPasswordProblem] = useState<string>();
  const path = { site_id: site.id, gateway_id: initial.gateway_id };
  const draft = usePart<Trunk>({
    siteId: site.id,
    part: listed("trunks", (one: Trunk) => one.gateway_id, initial.gateway_id),
    initial,
    isNew: trunk === undefined,
    check: wrongWith,
    onSaved: async (saved) => {
      if (password) {
        try {
          await bodyOf(api.PUT("/sites/{site_id}/trunks/{gateway_id}/password", { params: { path }, body: { password } }));
        } catch (error) {
          if (!(error instanceof ProblemError)) throw error;
          setPasswordProblem([...error.fields.values()].join(". ") || error.message);
          return;
        }
        await refresh(["trunks", site.id]);
      }
      tellDone(`Trunk ${saved.name} was saved and is being published`);
      onClose();
    },
  });
  const takeAway = async () => {
    try {
      await bodyOf(api.DELETE("/sites/{site_id}/trunks/{gateway_id}/password", { params: { path } }));
      await refresh(["trunks", site.id]);
      tellDone("The password was taken away");
    } catch (error) {
      tellProblem(error);
    }
  };
  const { values, set, problemAt } = draft;
  return (
    <FormDrawer
      title={trunk ? `Trunk ${trunk.name}` : "New trunk"}
      saveLabel={trunk ? "Save" : "Create trunk"}
      draft={draft}
      onClose={onClose}
    >
      {template ? <Notes template={template} /> : null}
      <TextInput label="Name" description="For people, and for what is logged of its calls" data-autofocus {...draft.text("name")} />
      <Switch
        label="In use"
        description="Switched off, it is no way out and takes no calls; nothing is lost"
        checked={values.enabled}
        onChange={(event) => set({ enabled: event.currentTarget.checked })}
      />
      <Fieldset legend="Where the provider is" miw={0}>
        <Stack gap="sm">
          <Fields draft={draft} fields={REACHED} />
        </Stack>
      </Fieldset>
      <Fieldset legend="Account" miw={0}>
        <Stack gap="sm">
          <Fields draft={draft} fields={ACCOUNT} />
          <Group align="flex-end" gap="xs">
            <PasswordInput
              label="Password"
              description={hasPassword ? "One is set, and is never shown; a new one takes its place" : "None is set"}
              autoComplete="new-password"
              value={password}
              error={passwordProblem}
              onChange={(event) => {
                setPassword(event.currentTarget.value);
                setPasswordProblem(undefined);
              }}
              style={{ flex: 1 }}
            />
            {hasPassword ? (
              <Button variant="default" onClick={() => void takeAway()}>
                Take it away
              </Button>
            ) : null}
          </Group>
        </Stack>
      </Fieldset>
      <Fieldset legend="Calls that leave" miw={0}>
        <Stack gap="sm">
          <Fields draft={draft} fields={CALLER} />
          <LeavingNumbers value={values.numbers} onChange={(numbers) => set({ numbers })} problemAt={problemAt} />
        </Stack>
      </Fieldset>
      <Fieldset legend="Calls that come" miw={0}>
        <Stack gap="sm">
          <Fields draft={draft} fields={COMING} />
          <ComingNumbers value={values.incoming} onChange={(incoming) => set({ incoming })} problemAt={problemAt} />
        </Stack>
      </Fieldset>
      <Fieldset legend="Limits" miw={0}>
        <Stack gap="sm">
          <Fields draft={draft} fields={LIMITS} />
        </Stack>
      </Fieldset>
    </FormDrawer>
  );
}

function Notes({ template }: { template: TrunkTemplate }) {
  return (
    <Stack gap={4}>
      <Text size="sm">
        As {template.provider} publishes it
        {template.source ? (
          <>
            {" ("}
            <Anchor href={template.source} target="_blank" rel="noreferrer" size="sm">
              its page
            </Anchor>
            {")"}
          </>
        ) : null}
        . You add: {template.asks_for.map((one) => one.replaceAll("_", " ")).join(", ")}.
      </Text>
      {template.notes.length > 0 ? (
        <List size="sm" c="dimmed">
          {template.notes.map((note) => (
            <List.Item key={note}>{note}</List.Item>
          ))}
        </List>
      ) : null}
    </Stack>
  );
}
