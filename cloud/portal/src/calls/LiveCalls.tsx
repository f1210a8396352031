/** Calls in progress at a site's edges, asked of each when somebody looks; the messages of each as a ladder. */
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useState } from "react";

import { api } from "../api/client";
import { useLive } from "../api/live";
import type { CallInProgress, CallsInProgress, Site } from "../api/types";
import { DataTable, type Column } from "../shell/DataTable";
import { Loaded } from "../shell/Page";
import { State } from "../shell/State";
import { Ago } from "../shell/When";
import { LiveCallLadder } from "./CallLadder";
import { Party } from "./Party";

interface Props {
  site: Site;
  /** What users are called, by their id. */
  names: ReadonlyMap<string, string>;
}

export function LiveCalls({ site, names }: Props) {
  const [asked, setAsked] = useState<string | null>(null);
  const online = site.edges.filter((edge) => edge.online);
  const edge = online.find((one) => one.edge_id === asked);
  if (online.length === 0) return null;
  return (
    <Group justify="flex-end" mb="md">
      {online.map((one) => (
        <Button key={one.edge_id} variant="default" onClick={() => setAsked(one.edge_id)}>
          {online.length === 1 ? "Calls in progress" : `Calls in progress at ${one.name}`}
        </Button>
      ))}
      {edge ? (
        <LiveCallsWindow edgeId={edge.edge_id} edgeName={edge.name} names={names} onClose={() => setAsked(null)} />
      ) : null}
    </Group>
  );
}

interface WindowProps {
  edgeId: string;
  edgeName: string;
  names: ReadonlyMap<string, string>;
  onClose: () => void;
}

function LiveCallsWindow({ edgeId, edgeName, names, onClose }: WindowProps) {
  const [looked, setLooked] = useState<CallInProgress | null>(null);
  const narrow = useMediaQuery("(max-width: 48em)");
  const live = useLive<CallsInProgress>(
    ["live-calls", edgeId],
    (init) => api.GET("/edges/{edge_id}/live-calls", { ...init, params: { path: { edge_id: edgeId } } }),
    { poll: false },
  );
  const columns: Column<CallInProgress>[] = [
    { title: "Began", cell: (call) => <Ago at={call.started_at} /> },
    { title: "From", cell: (call) => <Party number={call.caller} name={names.get(call.caller_user_id ?? "")} /> },
    { title: "To", cell: (call) => <Party number={call.callee} name={names.get(call.callee_user_id ?? "")} /> },
    {
      title: "State",
      cell: (call) =>
        call.answered_at ? <State tone="good" label="Talking" /> : <State tone="waiting" label="Not answered yet" />,
    },
    {
      title: "",
      align: "right",
      cell: (call) => (
        <Button size="compact-sm" variant="default" onClick={() => setLooked(call)}>
          Show its SIP messages
        </Button>
      ),
    },
  ];
  return (
    <Modal opened onClose={onClose} title={`Calls in progress at ${edgeName}`} size="xl" fullScreen={narrow}>
      <Stack>
        <Group justify="space-between">
          <Text size="sm" c="dimmed">
            As the edge just told it. Their records come when they end.
          </Text>
          <Button size="xs" variant="default" loading={live.isFetching} onClick={() => void live.refetch()}>
            Ask again
          </Button>
        </Group>
        <Loaded query={live}>
          {(shown) =>
            shown.calls.length === 0 ? (
              <Text>Nobody is calling.</Text>
            ) : (
              <>
                <DataTable
                  label="Calls in progress"
                  columns={columns}
                  rows={shown.calls}
                  rowKey={(call) => `${call.sip_call_id} ${call.started_at}`}
                />
                {shown.total > shown.calls.length ? (
                  <Text size="sm" c="dimmed">
                    The newest {shown.calls.length} of {shown.total}.
                  </Text>
                ) : null}
              </>
            )
          }
        </Loaded>
      </Stack>
      {looked ? <LiveCallLadder edgeId={edgeId} call={looked} onClose={() => setLooked(null)} /> : null}
    </Modal>
  );
}
