/** A call that was tried, kept as an assertion: what became of it is what is expected from now on. */
import { Select, Text, TextInput } from "@mantine/core";

import { api, bodyOf } from "../api/client";
import { refresh } from "../api/live";
import type { CallQuestion, Expectation, Simulated, Site } from "../api/types";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { OUTCOMES, outcomeText, suggested } from "./expectation";

interface Props {
  site: Site;
  call: CallQuestion;
  answer: Simulated;
  onClose: () => void;
}

export function KeepAssertion({ site, call, answer, onClose }: Props) {
  const expected = suggested(answer);
  const draft = useDraft<{ name: string } & Pick<Expectation, "outcome" | "target">>({
    initial: { name: `${call.dialled} ${outcomeText({ call, ...expected })}`, ...expected },
    save: async ({ name, outcome, target }) => {
      const body = { name, content: { call, outcome, target: outcome === "refused" ? "" : target } };
      await bodyOf(api.POST("/sites/{site_id}/call-assertions", { params: { path: { site_id: site.id } }, body }));
      await refresh(["call-assertions", site.id]);
      tellDone("The assertion was kept: a plan that breaks it is refused");
      onClose();
    },
  });
  const chosen = OUTCOMES.find((one) => one.value === draft.values.outcome);
  return (
    <FormDrawer title="Keep as an assertion" saveLabel="Keep it" draft={draft} onClose={onClose}>
      <Text size="sm" c="dimmed">
        Whatever is saved or published from now on has to send this call the same way; what does not is refused, with the
        reason.
      </Text>
      <TextInput label="Name" data-autofocus {...draft.text("name")} />
      <Select
        label="The call"
        data={OUTCOMES}
        allowDeselect={false}
        value={draft.values.outcome}
        error={draft.problemAt("content.outcome")}
        onChange={(outcome) => draft.set({ outcome: (outcome ?? "rings") as Expectation["outcome"] })}
      />
      {chosen?.target ? (
        <TextInput
          label={chosen.target}
          value={draft.values.target}
          error={draft.problemAt("content.target")}
          onChange={(event) => draft.set({ target: event.currentTarget.value })}
        />
      ) : null}
    </FormDrawer>
  );
}
