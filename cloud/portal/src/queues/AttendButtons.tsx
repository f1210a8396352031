/** Takes a supervisor into an agent's call: unheard, heard by the agent alone, or heard by both. */
import { Button, Group, Modal, Select, Stack, Tooltip } from "@mantine/core";
import { useState } from "react";

import type { QueueAttending } from "../api/types";
import { tellDone, tellProblem } from "../shell/notices";
import { attend } from "./agentOrders";

const WAYS: readonly { action: QueueAttending; label: string; help: string }[] = [
  { action: "listen", label: "Listen", help: "Nobody hears the supervisor" },
  { action: "whisper", label: "Whisper", help: "The agent alone hears the supervisor" },
  { action: "barge", label: "Barge in", help: "Agent and caller hear the supervisor" },
];

interface Props {
  siteId: string;
  queueId: string;
  agent: { id: string; name: string };
  /** Whose phones may be rung; of several one is chosen. */
  supervisors: readonly { value: string; label: string }[];
  /** The user who asks: his own phones ring without a question. */
  ownId: string | null;
}

export function AttendButtons({ siteId, queueId, agent, supervisors, ownId }: Props) {
  const [asked, setAsked] = useState<QueueAttending | null>(null);
  const [supervisor, setSupervisor] = useState(supervisors[0]?.value ?? null);
  const own = supervisors.find((one) => one.value === ownId);
  const run = async (action: QueueAttending, who: string | null) => {
    try {
      await attend(siteId, queueId, agent.id, action, who);
      const whose = who === null ? "Your phones ring" : `The phones of ${supervisors.find((one) => one.value === who)?.label} ring`;
      tellDone(`${whose}: answering leads into the call of ${agent.name}`);
    } catch (error) {
      tellProblem(error);
    }
  };
  return (
    <>
      {WAYS.map(({ action, label, help }) => (
        <Tooltip key={action} label={help}>
          <Button
            size="compact-sm"
            variant="light"
            aria-label={`${label}: ${agent.name}`}
            onClick={() => (own ? void run(action, null) : setAsked(action))}
          >
            {label}
          </Button>
        </Tooltip>
      ))}
      {asked ? (
        <Modal opened onClose={() => setAsked(null)} title={`${WAYS.find((one) => one.action === asked)?.label}: ${agent.name}`}>
          <Stack>
            <Select
              label="Whose phones ring"
              description="A supervisor of the queue"
              data={[...supervisors]}
              allowDeselect={false}
              value={supervisor}
              onChange={setSupervisor}
            />
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setAsked(null)}>
                Cancel
              </Button>
              <Button
                onClick={() => {
                  void run(asked, supervisor);
                  setAsked(null);
                }}
              >
                Ring
              </Button>
            </Group>
          </Stack>
        </Modal>
      ) : null}
    </>
  );
}
