/** Who answers a queue's callers, and how well each can where that decides who rings. */
import { MultiSelect, NumberInput, Stack } from "@mantine/core";

import type { Draft } from "../forms/useDraft";
import { agentsPicked, type CallQueue } from "./queueEditor";

interface Props {
  draft: Draft<CallQueue>;
  people: { value: string; label: string }[];
}

export function QueueEditorAgents({ draft, people }: Props) {
  const { agents, strategy } = draft.values;
  const nameOf = (id: string) => people.find((one) => one.value === id)?.label ?? id;
  const rate = (id: string, skill: number) =>
    draft.set({ agents: agents.map((one) => (one.user_id === id ? { ...one, skill } : one)) });
  return (
    <Stack gap="xs">
      <MultiSelect
        label="Agents"
        description="Who is rung; they log in and out by their phones"
        searchable
        data={people}
        value={agents.map((one) => one.user_id)}
        error={draft.problemAt("agents")}
        onChange={(ids) => draft.set({ agents: agentsPicked(agents, ids) })}
      />
      {strategy === "skills"
        ? agents.map((one) => (
            <NumberInput
              key={one.user_id}
              label={`Skill of ${nameOf(one.user_id)}`}
              description="10 is the best"
              min={1}
              max={10}
              allowDecimal={false}
              value={one.skill}
              onChange={(skill) => rate(one.user_id, Number(skill) || 1)}
            />
          ))
        : null}
    </Stack>
  );
}
