/** Rules in their order: moved by dragging, or by the buttons for who cannot drag. */
import { ActionIcon, Badge, Group, Switch, Text, Tooltip } from "@mantine/core";
import { useState, type DragEvent } from "react";

import type { Plan, Rule } from "../api/types";
import { DownIcon, EditIcon, GripIcon, UpIcon } from "../shell/icons";
import { Empty } from "../shell/Page";
import { duringText } from "./hours";
import { KINDS, leadsText, matchesText, moved, notesAt } from "./plan";

interface Props {
  plan: Plan;
  /** Warnings, and what is refused: each stands at the rules that it names. */
  notes?: readonly string[];
  onOrder: (rules: Rule[]) => void;
  onEdit: (rule: Rule) => void;
}

export function RuleList({ plan, notes = [], onOrder, onEdit }: Props) {
  const rules = plan.rules ?? [];
  const [dragged, setDragged] = useState<number | null>(null);
  const [over, setOver] = useState<number | null>(null);
  if (rules.length === 0) return <Empty title="There are no rules yet">Fill the plan by the site’s country, or add a rule.</Empty>;

  const drop = (event: DragEvent, at: number) => {
    event.preventDefault();
    if (dragged !== null && dragged !== at) onOrder(moved(rules, dragged, at));
    setDragged(null);
    setOver(null);
  };
  return (
    <ol className="rules" aria-label="Rules in their order">
      {rules.map((rule, at) => (
        <li
          key={rule.rule_id}
          className={over === at && dragged !== null ? "rule rule-over" : "rule"}
          draggable
          onDragStart={(event) => {
            event.dataTransfer.setData("text/plain", rule.rule_id);
            event.dataTransfer.effectAllowed = "move";
            setDragged(at);
          }}
          onDragOver={(event) => {
            event.preventDefault();
            setOver(at);
          }}
          onDragEnd={() => {
            setDragged(null);
            setOver(null);
          }}
          onDrop={(event) => drop(event, at)}
        >
          <span className="rule-grip" aria-hidden="true">
            <GripIcon size={16} />
          </span>
          <div className="rule-text">
            <Group gap="xs" wrap="wrap">
              <Text size="sm" fw={580} c={rule.enabled ? undefined : "dimmed"}>
                {rule.name}
              </Text>
              <Badge size="sm" variant="light" color={rule.kind === "emergency" ? "red" : "gray"}>
                {KINDS[rule.kind]}
              </Badge>
            </Group>
            <Text size="sm" c="dimmed" className="wrap-anywhere">
              <span className="mono">{matchesText(rule)}</span> → {leadsText(rule, plan)}
              {rule.kind === "outside" && rule.during ? `, ${duringText(rule.during, plan.schedules ?? [])}` : null}
            </Text>
            {notesAt(rule, notes).map((note) => (
              <Text key={note} size="sm" className="rule-note">
                {note}
              </Text>
            ))}
          </div>
          <Group gap={2} wrap="nowrap">
            <Switch
              size="sm"
              checked={rule.enabled ?? true}
              aria-label={`${rule.name} is on`}
              onChange={(event) => {
                const enabled = event.currentTarget.checked;
                onOrder(rules.map((one, place) => (place === at ? { ...one, enabled } : one)));
              }}
            />
            <Step label={`Move ${rule.name} up`} disabled={at === 0} onClick={() => onOrder(moved(rules, at, at - 1))}>
              <UpIcon size={16} />
            </Step>
            <Step
              label={`Move ${rule.name} down`}
              disabled={at === rules.length - 1}
              onClick={() => onOrder(moved(rules, at, at + 1))}
            >
              <DownIcon size={16} />
            </Step>
            <Step label={`Edit ${rule.name}`} onClick={() => onEdit(rule)}>
              <EditIcon size={16} />
            </Step>
          </Group>
        </li>
      ))}
    </ol>
  );
}

interface StepProps {
  label: string;
  disabled?: boolean;
  onClick: () => void;
  children: React.ReactNode;
}

function Step({ label, disabled, onClick, children }: StepProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" aria-label={label} disabled={disabled} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
