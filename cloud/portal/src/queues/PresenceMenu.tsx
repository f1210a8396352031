/** Changes how an agent stands at a queue: available, paused for a reason, or away. */
import { Button, Menu } from "@mantine/core";
import { useState } from "react";

import { tellDone, tellProblem } from "../shell/notices";
import { setAgent, type Presence } from "./agentOrders";
import { PauseForm } from "./PauseForm";
import { PAUSE_REASONS } from "./queuesNow";

interface Props {
  siteId: string;
  queueId: string;
  userId: string;
  presence: Presence;
  label: string;
  /** What the button is called where `label` alone does not say whose state it is. */
  title: string;
  /** Who pauses. */
  name: string;
  /** What was done. */
  told: (presence: Presence) => string;
}

export function PresenceMenu({ siteId, queueId, userId, presence, label, title, name, told }: Props) {
  const [typing, setTyping] = useState(false);
  const [busy, setBusy] = useState(false);
  const become = async (wanted: Presence, reason = "") => {
    setBusy(true);
    try {
      await setAgent(siteId, queueId, userId, wanted, reason);
      tellDone(told(wanted));
    } catch (error) {
      tellProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button size="compact-sm" variant="default" loading={busy} aria-label={title}>
            {label}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {presence === "in" ? null : <Menu.Item onClick={() => void become("in")}>{presence === "paused" ? "End the pause" : "Log in"}</Menu.Item>}
          {presence === "out" ? null : (
            <>
              <Menu.Label>Pause</Menu.Label>
              {PAUSE_REASONS.map((reason) => (
                <Menu.Item key={reason} onClick={() => void become("paused", reason)}>
                  {reason}
                </Menu.Item>
              ))}
              <Menu.Item onClick={() => setTyping(true)}>Another reason …</Menu.Item>
              <Menu.Divider />
              <Menu.Item onClick={() => void become("out")}>Log out</Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      {typing ? <PauseForm name={name} onPause={(reason) => void become("paused", reason)} onClose={() => setTyping(false)} /> : null}
    </>
  );
}
