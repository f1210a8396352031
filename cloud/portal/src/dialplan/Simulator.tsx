/** What would become of a call by the plan as it is on the screen, saved or not: the path drawn step by step. */
import { Alert, Button, Group, MultiSelect, Select, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";

import { api, bodyOf } from "../api/client";
import { ProblemError } from "../api/problem";
import type { Plan, PlanInput, Simulated, Site } from "../api/types";
import { instantAt } from "../shell/times";
import { Card } from "../sites/OverviewTab";
import { useUsers } from "../users/useUsers";
import { gatewayName } from "./plan";
import { stepText } from "./simulation";

const OUTSIDE = "outside";

export function Simulator({ site, plan }: { site: Site; plan: Plan }) {
  const users = useUsers(site.id, { poll: false });
  const [dialled, setDialled] = useState("");
  const [caller, setCaller] = useState<string | null>(null);
  const [number, setNumber] = useState("");
  const [at, setAt] = useState("");
  const [down, setDown] = useState<string[]>([]);
  const [answer, setAnswer] = useState<Simulated | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [running, setRunning] = useState(false);
  const gateways = plan.gateways ?? [];
  const callers = [
    ...(users.data ?? []).map((one) => ({ value: one.id, label: `${one.display_name} (${one.extension ?? one.username})` })),
    ...gateways.map((one) => ({ value: `${OUTSIDE}:${one.gateway_id}`, label: `From outside by ${one.name}` })),
  ];

  const run = async (event: FormEvent) => {
    event.preventDefault();
    setRunning(true);
    setProblem(null);
    const gateway = caller?.startsWith(`${OUTSIDE}:`) ? caller.slice(OUTSIDE.length + 1) : null;
    try {
      const call = {
        dialled: dialled.trim(),
        caller: gateway === null ? caller : null,
        gateway,
        number: gateway === null ? "" : number.trim(),
        anonymous: false,
        last_caller: "",
        at: at ? instantAt(at, site.time_zone) : null,
        unregistered: [],
        busy: [],
        gateways_down: down,
        cloud_down: false,
        edge_down: false,
      };
      const params = { path: { site_id: site.id } };
      setAnswer(await bodyOf(api.POST("/sites/{site_id}/simulate", { params, body: { call, document: plan as PlanInput } })));
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setAnswer(null);
      setProblem([...error.fields.values()].join(". ") || error.detail || error.title);
    } finally {
      setRunning(false);
    }
  };

  return (
    <Card title="Try a call">
      <form onSubmit={(event) => void run(event)} noValidate aria-label="Try a call">
        <Stack gap="sm">
          <SimpleGrid cols={{ base: 1, sm: 2, md: 4 }}>
            <Select
              label="Who calls"
              placeholder="A user"
              data={callers}
              searchable
              value={caller}
              onChange={setCaller}
            />
            <TextInput label="What is dialled" value={dialled} onChange={(event) => setDialled(event.currentTarget.value)} />
            <TextInput
              label="When, at the site"
              type="datetime-local"
              value={at}
              onChange={(event) => setAt(event.currentTarget.value)}
            />
            {caller?.startsWith(OUTSIDE) ? (
              <TextInput label="The caller’s number" value={number} onChange={(event) => setNumber(event.currentTarget.value)} />
            ) : (
              <MultiSelect
                label="Gateways that are down"
                data={gateways.map((one) => ({ value: one.gateway_id, label: one.name }))}
                value={down}
                onChange={setDown}
              />
            )}
          </SimpleGrid>
          <Group>
            <Button type="submit" variant="default" loading={running} disabled={!dialled.trim()}>
              See what happens
            </Button>
            <Text size="sm" c="dimmed">
              By the plan as it stands here, as if nobody answered.
            </Text>
          </Group>
        </Stack>
      </form>
      {problem ? (
        <Alert color="red" role="alert" mt="md">
          {problem}
        </Alert>
      ) : null}
      {answer ? <Path answer={answer} plan={plan} /> : null}
    </Card>
  );
}

function Path({ answer, plan }: { answer: Simulated; plan: Plan }) {
  return (
    <Stack gap="xs" mt="md">
      <ol className="path" aria-label="The way of the call">
        {answer.steps.map((step, place) => (
          <li key={place} className={step.status === null ? "path-step" : "path-step path-end"}>
            <Text size="sm" fw={580}>
              {stepText(step, (id) => gatewayName(plan, id))}
            </Text>
            {step.reasons.map((reason, at) => (
              <Text key={at} size="sm" c="dimmed">
                {reason.text}
              </Text>
            ))}
          </li>
        ))}
      </ol>
      {answer.notes.map((note) => (
        <Text key={note} size="sm" c="dimmed">
          {note}
        </Text>
      ))}
    </Stack>
  );
}

