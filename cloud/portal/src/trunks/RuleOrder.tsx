/** The ways out of each rule in the order in which they are tried, with others put before and behind. */
import { ActionIcon, Group, Select, SimpleGrid, Text } from "@mantine/core";
import { useState } from "react";

import type { Plan, Rule, Site } from "../api/types";
import { gatewayName, moved } from "../dialplan/plan";
import { listed } from "../dialplan/planPart";
import { savePart } from "../dialplan/savePart";
import { Card } from "../sites/OverviewTab";
import { tellDone, tellProblem } from "../shell/notices";

type Leaving = Extract<Rule, { kind: "outside" | "emergency" }>;

export function RuleOrder({ site, plan }: { site: Site; plan: Plan }) {
  const [saving, setSaving] = useState(false);
  const rules = (plan.rules ?? []).filter((rule): rule is Leaving => rule.kind === "outside" || rule.kind === "emergency");
  const ways = [...(plan.trunks ?? []), ...(plan.gateways ?? [])];
  if (rules.length === 0 || ways.length === 0) return null;
  const put = async (rule: Leaving, gateways: string[]) => {
    setSaving(true);
    try {
      await savePart<Rule>(site.id, listed("rules", (one: Rule) => one.rule_id, rule.rule_id), rule, { ...rule, gateways });
      tellDone("The order was saved and is being published");
    } catch (error) {
      tellProblem(error);
    } finally {
      setSaving(false);
    }
  };
  return (
    <Card title="The order in which rules try them">
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="md">
        {rules.map((rule) => {
          const tried = rule.gateways ?? [];
          const others = ways.filter((one) => !tried.includes(one.gateway_id));
          return (
            <section key={rule.rule_id} aria-label={`Ways out of ${rule.name}`}>
              <Text size="sm" fw={560}>
                {rule.name}
              </Text>
              <ol className="ways">
                {tried.map((id, place) => {
                  const name = gatewayName(plan, id);
                  return (
                    <li key={id}>
                      <Text size="sm" component="span">
                        {name}
                      </Text>
                      <Group gap={2} wrap="nowrap" component="span">
                        <ActionIcon
                          variant="subtle"
                          color="gray"
                          disabled={saving}
                          style={place === 0 ? { visibility: "hidden" } : undefined}
                          onClick={() => void put(rule, moved(tried, place, place - 1))}
                          aria-label={`Try ${name} earlier in ${rule.name}`}
                        >
                          ↑
                        </ActionIcon>
                        <ActionIcon
                          variant="subtle"
                          color="gray"
                          disabled={saving}
                          onClick={() => void put(rule, tried.filter((one) => one !== id))}
                          aria-label={`Take ${name} out of ${rule.name}`}
                        >
                          ×
                        </ActionIcon>
                      </Group>
                    </li>
                  );
                })}
              </ol>
              {others.length > 0 ? (
                <Select
                  size="xs"
                  maw={260}
                  placeholder={tried.length === 0 ? "No way out yet: choose one" : "Then try…"}
                  aria-label={`Add a way out to ${rule.name}`}
                  disabled={saving}
                  data={others.map((one) => ({ value: one.gateway_id, label: one.name }))}
                  value={null}
                  onChange={(id) => (id ? void put(rule, [...tried, id]) : undefined)}
                />
              ) : null}
            </section>
          );
        })}
      </SimpleGrid>
    </Card>
  );
}
