/** The messages of one call: asked of its edge when somebody looks, drawn as a ladder. */
import { Alert, Button, Code, Group, Modal, ScrollArea, Stack, Text } from "@mantine/core";
import { useElementSize, useMediaQuery } from "@mantine/hooks";
import { useState, type ReactNode } from "react";

import { api, bodyOf } from "../api/client";
import { useLive } from "../api/live";
import type { CallInProgress, CallRecord, Ladder, LadderArrow } from "../api/types";
import { Loaded } from "../shell/Page";
import { tellProblem } from "../shell/notices";
import { GUTTER, HEAD, ROW, columnWidth, labelOf, placesOf, sinceFirst, toneOf } from "./ladder";

/** The ladder's share of the room; the message stands beside it where there is enough. */
const BESIDE = 0.62;

/** Of a call that has ended, by its record. */
export function CallLadder({ call, onClose }: { call: CallRecord; onClose: () => void }) {
  const path = { site_id: call.site_id, record_id: call.id };
  const ladder = useLive<Ladder>(
    ["ladder", call.id],
    (init) => api.GET("/sites/{site_id}/calls/{record_id}/ladder", { ...init, params: { path } }),
    { poll: false },
  );
  return (
    <LadderWindow
      title={`Messages: ${call.caller} to ${call.callee}`}
      ladder={ladder}
      onClose={onClose}
      action={
        <Button size="xs" variant="default" onClick={() => download(path).catch(tellProblem)}>
          Download for Wireshark
        </Button>
      }
    />
  );
}

/** Of a call in progress; asked again, it has what was said since. */
export function LiveCallLadder({ edgeId, call, onClose }: { edgeId: string; call: CallInProgress; onClose: () => void }) {
  const ladder = useLive<Ladder>(
    ["live-ladder", edgeId, call.sip_call_id],
    (init) =>
      api.GET("/edges/{edge_id}/live-calls/ladder", {
        ...init,
        params: { path: { edge_id: edgeId }, query: { sip_call_id: call.sip_call_id } },
      }),
    { poll: false },
  );
  return (
    <LadderWindow
      title={`Messages: ${call.caller} to ${call.callee}`}
      ladder={ladder}
      onClose={onClose}
      action={
        <Button size="xs" variant="default" loading={ladder.isFetching} onClick={() => void ladder.refetch()}>
          Ask again
        </Button>
      }
    />
  );
}

interface LadderWindowProps {
  title: string;
  ladder: ReturnType<typeof useLive<Ladder>>;
  action: ReactNode;
  onClose: () => void;
}

function LadderWindow({ title, ladder, action, onClose }: LadderWindowProps) {
  const narrow = useMediaQuery("(max-width: 48em)");
  return (
    <Modal opened onClose={onClose} title={title} size="90rem" fullScreen={narrow}>
      <Loaded query={ladder}>
        {(shown) => (
          <Stack>
            <Group justify="space-between">
              <Text size="sm" c="dimmed">
                Passwords, media keys and what people wrote are masked. Choose an arrow to read its message.
              </Text>
              {action}
            </Group>
            {shown.left_out > 0 ? (
              <Alert color="yellow" title={`${shown.left_out} messages of this call are not kept any more`} />
            ) : null}
            <Drawing ladder={shown} />
          </Stack>
        )}
      </Loaded>
    </Modal>
  );
}

async function download(path: { site_id: string; record_id: string }): Promise<void> {
  const file = await bodyOf(
    api.GET("/sites/{site_id}/calls/{record_id}/ladder.pcap", {
      params: { path },
      headers: { Accept: "application/octet-stream" },
      parseAs: "blob",
    }),
  );
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file as unknown as Blob);
  link.download = `call-${path.record_id}.pcap`;
  link.click();
  URL.revokeObjectURL(link.href);
}

function Drawing({ ladder }: { ladder: Ladder }) {
  const { ref, width } = useElementSize();
  const [chosen, setChosen] = useState(0);
  const column = columnWidth(ladder.participants.length, width * BESIDE);
  const places = placesOf(ladder);
  const at = (participant: number) => GUTTER + column * ((places[participant] ?? 0) + 0.5);
  const across = GUTTER + column * ladder.participants.length;
  const down = HEAD + ROW * ladder.arrows.length + 12;
  const open = ladder.arrows[chosen];
  return (
    <div ref={ref} className="ladder-with-message">
      <ScrollArea type="auto">
        <svg className="ladder" width={across} height={down} role="group" aria-label="Ladder of the call">
          {ladder.participants.map((one, index) => (
            <g key={`${one.transport} ${one.address}`}>
              <line className="ladder-life" x1={at(index)} x2={at(index)} y1={HEAD - 8} y2={down} />
              <text className="ladder-name" x={at(index)} y={18}>
                {one.name || "Unnamed"}
              </text>
              <text className="ladder-address" x={at(index)} y={35}>
                {one.edge ? one.address : `${one.transport} ${one.address}`}
              </text>
            </g>
          ))}
          {ladder.arrows.map((arrow, index) => (
            <Arrow
              key={index}
              arrow={arrow}
              from={at(arrow.source)}
              to={at(arrow.target)}
              y={HEAD + ROW * (index + 1) - 8}
              time={sinceFirst(ladder, arrow)}
              across={across}
              isChosen={index === chosen}
              choose={() => setChosen(index)}
            />
          ))}
        </svg>
      </ScrollArea>
      {open ? (
        <Code block className="ladder-message" aria-label="Message">
          {open.text}
        </Code>
      ) : null}
    </div>
  );
}

interface ArrowProps {
  arrow: LadderArrow;
  from: number;
  to: number;
  y: number;
  time: string;
  across: number;
  isChosen: boolean;
  choose: () => void;
}

function Arrow({ arrow, from, to, y, time, across, isChosen, choose }: ArrowProps) {
  const label = `${labelOf(arrow)}${arrow.again ? " · again" : ""}`;
  const back = from < to ? -9 : 9;
  return (
    <g
      className={`ladder-arrow ladder-${toneOf(arrow)}`}
      role="button"
      tabIndex={0}
      aria-pressed={isChosen}
      aria-label={`${time} seconds: ${label}`}
      onClick={choose}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose();
      }}
    >
      <rect className="ladder-row" x={0} y={y - 22} width={across} height={ROW} />
      <text className="ladder-time" x={8} y={y}>
        {time}
      </text>
      <line x1={from} x2={to} y1={y} y2={y} strokeDasharray={arrow.again ? "4 3" : undefined} />
      <path className="ladder-head" d={`M${to} ${y}l${back} -4v8z`} />
      <text className="ladder-label" x={(from + to) / 2} y={y - 6}>
        {label}
      </text>
    </g>
  );
}
