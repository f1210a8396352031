/** What would become of a call by the plan as it is on the screen, saved or not: the path drawn step by step. */
import { Alert, Button, Group, MultiSelect, Select, SimpleGrid, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";

import { api, bodyOf } from "../api/client";
import { ProblemError } from "../api/problem";
import type { CallQuestion, Plan, PlanInput, Simulated, Site } from "../api/types";
import { KeepAssertion } from "../assertions/KeepAssertion";
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
  const [failing, setFailing] = useState(NOTHING_FAILS);
  const [tried, setTried] = useState<{ call: CallQuestion; answer: Simulated } | null>(null);
  const [keeping, setKeeping] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [running, setRunning] = useState(false);
  const gateways = [...(plan.trunks ?? []), ...(plan.gateways ?? [])];
  const people = (users.data ?? []).map((one) => ({
    value: one.id,
    label: `${one.display_name} (${one.extension ?? one.username})`,
  }));
  const callers = [
    ...people,
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
        ...failing,
      };
      const params = { path: { site_id: site.id } };
      const body = { call, document: plan as PlanInput };
      setTried({ call, answer: await bodyOf(api.POST("/sites/{site_id}/simulate", { params, body })) });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setTried(null);
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
            ) : null}
          </SimpleGrid>
          <Failing
            people={people}
            gateways={gateways.map((one) => ({ value: one.gateway_id, label: one.name }))}
            value={failing}
            onChange={setFailing}
          />
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
      {tried ? (
        <>
          <Path answer={tried.answer} plan={plan} />
          <Button size="compact-sm" variant="default" mt="sm" onClick={() => setKeeping(true)}>
            Keep this as an assertion
          </Button>
        </>
      ) : null}
      {tried && keeping ? (
        <KeepAssertion site={site} call={tried.call} answer={tried.answer} onClose={() => setKeeping(false)} />
      ) : null}
    </Card>
  );
}

type FailingState = Pick<CallQuestion, "busy" | "unregistered" | "gateways_down" | "cloud_down" | "edge_down">;

const NOTHING_FAILS: FailingState = { busy: [], unregistered: [], gateways_down: [], cloud_down: false, edge_down: false };

interface Choice {
  value: string;
  label: string;
}

interface FailingProps {
  people: Choice[];
  gateways: Choice[];
  value: FailingState;
  onChange: (value: FailingState) => void;
}

/** What is not as it should be during the call. */
function Failing({ people, gateways, value, onChange }: FailingProps) {
  return (
    <>
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <MultiSelect
          label="In a call"
          description="And want no second one"
          searchable
          data={people}
          value={value.busy}
          onChange={(busy) => onChange({ ...value, busy })}
        />
        <MultiSelect
          label="Away"
          description="No phone is registered"
          searchable
          data={people}
          value={value.unregistered}
          onChange={(unregistered) => onChange({ ...value, unregistered })}
        />
        <MultiSelect
          label="Trunks and gateways that are down"
          description="They do not answer"
          data={gateways}
          value={value.gateways_down}
          onChange={(gateways_down) => onChange({ ...value, gateways_down })}
        />
      </SimpleGrid>
      <Group>
        <Switch
          label="The cloud is away"
          checked={value.cloud_down}
          onChange={(event) => onChange({ ...value, cloud_down: event.currentTarget.checked })}
        />
        <Switch
          label="The edge is away"
          checked={value.edge_down}
          onChange={(event) => onChange({ ...value, edge_down: event.currentTarget.checked })}
        />
      </Group>
    </>
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

