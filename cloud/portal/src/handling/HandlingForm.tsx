/** Where a user's calls go: the same for the user and for who looks after him. */
import { Alert, Button, Fieldset, Group, NumberInput, SimpleGrid, Stack, Switch, TagsInput, TextInput } from "@mantine/core";

import { api, bodyOf } from "../api/client";
import { refresh, useLive } from "../api/live";
import type { CallHandling } from "../api/types";
import { FormProblems } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { Loaded } from "../shell/Page";
import { tellDone } from "../shell/notices";
import { FindMeList } from "./FindMeList";
import { RingLine } from "./RingLine";
import { SpeedDials } from "./SpeedDials";
import { FORWARDS, valuesOf, type HandlingValues } from "./handling";

const SWITCHES = [
  { name: "do_not_disturb", label: "Do not disturb", help: "The phones stay quiet" },
  { name: "call_waiting", label: "Call waiting", help: "A second call rings during a call" },
  { name: "reject_anonymous", label: "Turn away callers who are not named", help: "They hear that they are" },
  { name: "intercom", label: "Answer intercom calls", help: "The phones answer them by themselves" },
] as const;

export function HandlingForm({ userId }: { userId: string }) {
  const handling = useLive<CallHandling>(
    ["call-handling", userId],
    (init) => api.GET("/users/{user_id}/call-handling", { ...init, params: { path: { user_id: userId } } }),
    { poll: false },
  );
  return <Loaded query={handling}>{(saved) => <Form userId={userId} saved={saved} />}</Loaded>;
}

function Form({ userId, saved }: { userId: string; saved: CallHandling }) {
  const draft = useDraft<HandlingValues>({
    initial: valuesOf(saved),
    save: async (_, changes) => {
      const params = { path: { user_id: userId } };
      const now = await bodyOf(api.PATCH("/users/{user_id}/call-handling", { params, body: changes }));
      await refresh(["call-handling", userId]);
      tellDone("Saved; it counts as soon as the site’s edge has it");
      draft.set(valuesOf(now));
      return { values: valuesOf(now), version: 0 };
    },
  });
  const { values, set } = draft;
  return (
    <form onSubmit={draft.submit} noValidate aria-label="Where calls go">
      <Stack gap="md">
        {values.do_not_disturb || values.always ? (
          <Alert color="yellow" role="status">
            {values.do_not_disturb ? "Do not disturb is on: nothing rings." : `Every call is forwarded to ${values.always}.`}
          </Alert>
        ) : null}
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          {SWITCHES.map(({ name, label, help }) => (
            <Switch
              key={name}
              label={label}
              description={help}
              checked={values[name]}
              onChange={(event) => set({ [name]: event.currentTarget.checked })}
            />
          ))}
        </SimpleGrid>
        <Fieldset legend="Forward calls to" miw={0}>
          <SimpleGrid cols={{ base: 1, xs: 2 }}>
            {FORWARDS.map(({ name, label, help }) => (
              <TextInput
                key={name}
                label={label}
                description={help}
                placeholder="nowhere"
                value={values[name] ?? ""}
                error={draft.problemAt(name)}
                onChange={(event) => set({ [name]: event.currentTarget.value.trim() || null })}
              />
            ))}
          </SimpleGrid>
        </Fieldset>
        <Fieldset legend="What rings when" miw={0}>
          <Stack gap="sm">
            <RingLine values={values} />
            <NumberInput
              label="Own phones ring"
              description="Seconds"
              min={1}
              max={600}
              allowDecimal={false}
              value={values.ring_seconds}
              error={draft.problemAt("ring_seconds")}
              onChange={(seconds) => set({ ring_seconds: Number(seconds) || 20 })}
            />
            <FindMeList draft={draft} />
          </Stack>
        </Fieldset>
        <TagsInput
          label="Blocked numbers"
          description="Their calls are turned away; Enter adds one"
          acceptValueOnBlur
          value={values.blocked}
          error={draft.problemAt("blocked")}
          onChange={(blocked) => set({ blocked })}
        />
        <Fieldset legend="Speed dials" miw={0}>
          <SpeedDials draft={draft} />
        </Fieldset>
        <FormProblems draft={draft} />
        <Group justify="flex-end">
          <Button type="submit" loading={draft.saving} disabled={!draft.isTouched}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
