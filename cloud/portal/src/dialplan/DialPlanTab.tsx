/** A site's dial plan: the rules in their order, what a call would come to, ways out, hours, and groups. */
import { Alert, Button, Group, List, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { ProblemError } from "../api/problem";
import type { DialPlan, Plan, Rule, Site } from "../api/types";
import { isSame } from "../forms/draft";
import { Loaded } from "../shell/Page";
import { tellDone } from "../shell/notices";
import { Card } from "../sites/OverviewTab";
import { Gateways } from "./Gateways";
import { HuntGroups } from "./HuntGroups";
import { RuleForm } from "./RuleForm";
import { RuleList } from "./RuleList";
import { Schedules } from "./Schedules";
import { Simulator } from "./Simulator";
import { TemplateDrawer } from "./TemplateDrawer";
import { mergePlans } from "./mergePlans";
import { freshId } from "./plan";
import { readPlan, savePlan } from "./savePart";
import { useDialPlan } from "./useDialPlan";

export function DialPlanTab({ site }: { site: Site }) {
  const query = useDialPlan(site.id);
  return <Loaded query={query}>{(saved) => <Editor site={site} saved={saved} />}</Loaded>;
}

function Editor({ site, saved }: { site: Site; saved: DialPlan }) {
  const [base, setBase] = useState(saved);
  const [plan, setPlan] = useState<Plan>(saved.document);
  const [theirs, setTheirs] = useState<string[]>([]);
  const [editing, setEditing] = useState<Rule | "new" | null>(null);
  const [filling, setFilling] = useState(false);
  const [saving, setSaving] = useState(false);
  const [problem, setProblem] = useState<ProblemError | null>(null);
  const touched = !isSame(base.document, plan);
  if (base.version !== saved.version && !touched) {
    setBase(saved);
    setPlan(saved.document);
    setTheirs([]);
  }
  const rules = plan.rules ?? [];
  const set = (changes: Partial<Plan>) => setPlan((before) => ({ ...before, ...changes }));

  const save = async () => {
    setSaving(true);
    setProblem(null);
    try {
      const now = await savePlan(site.id, plan, base.version);
      setBase(now);
      setPlan(now.document);
      setTheirs([]);
      tellDone("The dial plan was saved and is being published");
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem(error);
    } finally {
      setSaving(false);
    }
  };

  const takeOver = async () => {
    try {
      const now = await readPlan(site.id);
      const merged = mergePlans(base.document, plan, now.document);
      setBase(now);
      setPlan(merged.plan);
      setTheirs(merged.both);
      setProblem(null);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem(error);
    }
  };

  const refused = problem && !problem.isChanged ? linesOf(problem) : [];
  const notes = [...base.warnings, ...(base.refused?.problems ?? []), ...refused];
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          The first rule that matches what is dialled decides. Emergency numbers come before all of them.
        </Text>
        <Group gap="xs">
          <Button variant="default" onClick={() => setFilling(true)}>
            Fill by country
          </Button>
          <Button variant="default" onClick={() => setEditing("new")}>
            Add a rule
          </Button>
        </Group>
      </Group>
      {base.refused ? (
        <Alert color="red" title={`Not published: ${base.refused.cause}`}>
          <Lines lines={base.refused.problems} />
        </Alert>
      ) : null}
      {base.warnings.length > 0 ? (
        <Alert color="yellow" title="Worth a look">
          <Lines lines={base.warnings} />
        </Alert>
      ) : null}
      <Simulator site={site} plan={plan} />
      <Card title="Rules">
        <RuleList plan={plan} notes={notes} onOrder={(ordered) => set({ rules: ordered })} onEdit={setEditing} />
      </Card>
      <Gateways plan={plan} onChange={(gateways) => set({ gateways })} />
      <Schedules site={site} plan={plan} onChange={(schedules) => set({ schedules })} />
      <HuntGroups site={site} plan={plan} onChange={(groups) => set({ hunt_groups: groups })} />
      {problem ? <Refused problem={problem} onReload={() => void takeOver()} /> : null}
      {theirs.length > 0 ? (
        <Alert color="yellow" title="Changed here and by someone else" role="status">
          Yours is kept of these, and replaces theirs when you save:
          <Lines lines={theirs} />
        </Alert>
      ) : null}
      {touched ? (
        <Group className="card save-bar" p="sm" justify="space-between">
          <Text size="sm">There are changes that are not saved.</Text>
          <Group gap="xs">
            <Button variant="default" onClick={() => {
                setPlan(base.document);
                setTheirs([]);
              }}>
              Discard
            </Button>
            <Button loading={saving} onClick={() => void save()}>
              Save dial plan
            </Button>
          </Group>
        </Group>
      ) : null}
      {editing ? (
        <RuleForm
          plan={plan}
          rule={editing === "new" ? null : editing}
          newId={freshId("rule", rules.map((one) => one.rule_id))}
          onClose={() => setEditing(null)}
          onDone={(rule) => {
            const at = rules.findIndex((one) => one.rule_id === rule.rule_id);
            set({ rules: at < 0 ? [rule, ...rules] : rules.map((one, place) => (place === at ? rule : one)) });
            setEditing(null);
          }}
          onRemove={(rule) => {
            set({ rules: rules.filter((one) => one.rule_id !== rule.rule_id) });
            setEditing(null);
          }}
        />
      ) : null}
      {filling ? <TemplateDrawer site={site} plan={plan} onClose={() => setFilling(false)} onFilled={setPlan} /> : null}
    </Stack>
  );
}

function Refused({ problem, onReload }: { problem: ProblemError; onReload: () => void }) {
  if (problem.isChanged) {
    return (
      <Alert color="yellow" title="Changed by someone else meanwhile" role="alert">
        <Stack gap="xs" align="flex-start">
          Nothing was saved. Reload to put your changes upon theirs; nothing of yours is lost.
          <Button size="xs" variant="default" onClick={onReload}>
            Reload
          </Button>
        </Stack>
      </Alert>
    );
  }
  return (
    <Alert color="red" title="This was not saved" role="alert">
      <Lines lines={linesOf(problem)} />
    </Alert>
  );
}

function linesOf(problem: ProblemError): string[] {
  const lines = [...problem.fields].map(([field, message]) => {
    const where = field.replace(/^document\.?/, "");
    return where ? `${where}: ${message}` : message;
  });
  return lines.length ? lines : [problem.detail || problem.title];
}

function Lines({ lines }: { lines: readonly string[] }) {
  if (lines.length === 1) return <>{lines[0]}</>;
  return (
    <List size="sm">
      {lines.map((line) => (
        <List.Item key={line}>{line}</List.Item>
      ))}
    </List>
  );
}
