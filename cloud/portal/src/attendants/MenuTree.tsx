/** The menus of an attendant as a tree: each key with what it does, and the menus behind keys inside. */
import { Badge, Text, UnstyledButton } from "@mantine/core";

import type { Attendant, Plan } from "../api/types";
import { actionText, comesBy, treeOf, type Branch } from "./attendant";
import "./attendants.css";

interface Props {
  attendant: Attendant;
  plan: Plan;
  selected: string;
  onSelect: (menuId: string) => void;
}

export function MenuTree({ attendant, plan, selected, onSelect }: Props) {
  return (
    <ul className="menu-tree" aria-label="Menus">
      {treeOf(attendant).map((branch) => (
        <MenuNode key={branch.path} branch={branch} {...{ attendant, plan, selected, onSelect }} />
      ))}
    </ul>
  );
}

function MenuNode({ branch, ...shared }: Props & { branch: Branch }) {
  const { menu, rows } = branch;
  const begins = comesBy(shared.attendant, menu, shared.plan);
  return (
    <li>
      <UnstyledButton
        className="menu-node"
        aria-current={shared.selected === menu.menu_id}
        onClick={() => shared.onSelect(menu.menu_id)}
      >
        <Text size="sm" fw={600} span>
          {menu.name || menu.menu_id}
        </Text>
        {begins ? (
          <Badge size="xs" variant="light" tt="none">
            {begins}
          </Badge>
        ) : null}
      </UnstyledButton>
      <ul>
        {menu.direct_extensions ? (
          <li className="menu-row">
            <span className="menu-key wide">ext.</span>
            <Text size="sm" span>
              connects to the extension that is dialled
            </Text>
          </li>
        ) : null}
        {rows.map((row) => (
          <li key={row.key.key} className={row.branch ? "menu-row nested" : "menu-row"}>
            <span className="menu-key">{row.key.key}</span>
            {row.branch ? (
              <ul className="menu-tree">
                <MenuNode branch={row.branch} {...shared} />
              </ul>
            ) : (
              <Text size="sm" span>
                {row.key.label ? `${row.key.label}: ` : ""}
                {row.shownAbove ? `↩ ${row.shownAbove.name}` : actionText(row.key.action, shared.attendant)}
              </Text>
            )}
          </li>
        ))}
      </ul>
    </li>
  );
}
