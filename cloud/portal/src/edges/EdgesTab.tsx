/** A site's edges: enroll one, see what runs at it, refuse it. */
import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh, useLiveAll } from "../api/live";
import type { Edge, EnrollmentCode, Site } from "../api/types";
import { Confirm } from "../shell/Confirm";
import { Copyable } from "../shell/Copyable";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { State } from "../shell/State";
import { Ago, Moment } from "../shell/When";
import { PlusIcon } from "../shell/icons";
import { tellDone, tellProblem } from "../shell/notices";
import { ProblemList } from "../sites/EdgeState";
import { EdgeFigures } from "./EdgeFigures";
import { EdgeForm } from "./EdgeForm";
import { edgeTone } from "./edgeState";

interface Enrolling {
  edgeId: string;
  enrollment: EnrollmentCode;
}

export function EdgesTab({ site }: { site: Site }) {
  const edges = useLiveAll<Edge>(["edges", site.id], (init, cursor) =>
    api.GET("/edges", { ...init, params: { query: { site_id: site.id, limit: 200, cursor } } }),
  );
  const [edited, setEdited] = useState<Edge | "new" | null>(null);
  const [revoked, setRevoked] = useState<Edge | null>(null);
  const [watched, setWatched] = useState<Edge | null>(null);
  const [enrolling, setEnrolling] = useState<Enrolling | null>(null);
  const renew = (edge: Edge) => {
    const params = { path: { edge_id: edge.id } };
    bodyOf(api.POST("/edges/{edge_id}/enrollment-code", { params })).then(
      (enrollment) => setEnrolling({ edgeId: edge.id, enrollment }),
      tellProblem,
    );
  };
  const columns: Column<Edge>[] = [
    {
      title: "Edge",
      cell: (edge) => (
        <div>
          <Text fw={580} size="sm">{edge.name}</Text>
          {edge.agent_version ? (
            <Text size="xs" c="dimmed">
              agent {edge.agent_version}
            </Text>
          ) : null}
        </div>
      ),
    },
    { title: "State", cell: (edge) => <EdgeCell edge={edge} /> },
    {
      title: "Connection",
      cell: (edge) =>
        edge.online ? `${edge.transport === "quic" ? "QUIC" : "WebSocket"} from ${edge.address}` : <Text c="dimmed">—</Text>,
    },
    { title: "Version", cell: (edge) => <VersionCell edge={edge} wanted={site.wanted_version ?? null} /> },
    {
      title: "",
      align: "right",
      cell: (edge) => (
        <Group gap="xs" wrap="nowrap" justify="flex-end">
          {edge.online ? (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => setWatched(edge)}
              aria-label={`Figures of ${edge.name}`}
            >
              Figures
            </Button>
          ) : null}
          <Button
            size="compact-sm"
            variant={edge.enrolled_at ? "default" : "light"}
            onClick={() => renew(edge)}
            aria-label={`New enrollment code for ${edge.name}`}
          >
            New code
          </Button>
          <RowActions
            name={edge.name}
            onEdit={() => setEdited(edge)}
            onDelete={() => setRevoked(edge)}
            deleteLabel="Revoke"
          />
        </Group>
      ),
    },
  ];
  const newButton = (
    <Button leftSection={<PlusIcon size={16} />} onClick={() => setEdited("new")}>
      Enroll new edge
    </Button>
  );
  return (
    <>
      <Loaded query={edges}>
        {(all) =>
          all.length === 0 ? (
            <div className="card">
              <Empty title="No edge yet" action={newButton}>
                The edge is a small agent on a machine at the site. It registers the phones, connects their calls and
                configures them, also while the cloud is out of reach.
              </Empty>
            </div>
          ) : (
            <>
              <Group justify="flex-end" mb="sm">
                {newButton}
              </Group>
              <DataTable label="Edges" columns={columns} rows={all} rowKey={(edge) => edge.id} />
            </>
          )
        }
      </Loaded>
      {edited !== null ? (
        <EdgeForm
          site={site}
          edge={edited === "new" ? undefined : edited}
          onMade={(made) => setEnrolling({ edgeId: made.id, enrollment: made.enrollment })}
          onClose={() => setEdited(null)}
        />
      ) : null}
      {enrolling ? (
        <EnrollDialog
          enrollment={enrolling.enrollment}
          edge={edges.data?.find((edge) => edge.id === enrolling.edgeId)}
          zone={site.time_zone}
          onClose={() => setEnrolling(null)}
        />
      ) : null}
      {watched ? <EdgeFigures edge={watched} onClose={() => setWatched(null)} /> : null}
      {revoked ? (
        <Confirm
          title={`Revoke ${revoked.name}?`}
          action="Revoke edge"
          run={async () => {
            const params = { path: { edge_id: revoked.id }, header: ifMatch(revoked.version) };
            await bodyOf(api.DELETE("/edges/{edge_id}", { params }));
            await refresh(["edges", site.id], ["sites"]);
            tellDone("The edge was revoked");
          }}
          onClose={() => setRevoked(null)}
        >
          The cloud refuses it from now on, for good. A machine that is to serve the site again is enrolled as a new edge.
        </Confirm>
      ) : null}
    </>
  );
}

function EdgeCell({ edge }: { edge: Edge }) {
  const since = edge.online ? edge.connected_at : edge.enrolled_at ? edge.last_seen_at : null;
  return (
    <State
      {...edgeTone({ online: edge.online, enrolled: edge.enrolled_at !== null })}
      detail={since ? <>{edge.online ? "since" : "last seen"} <Ago at={since} /></> : undefined}
    />
  );
}

function VersionCell({ edge, wanted }: { edge: Edge; wanted: number | null }) {
  if (edge.rejected_version !== null) {
    return (
      <div>
        <State tone="bad" label={`${edge.rejected_version} rejected`} />
        <ProblemList problems={edge.rejected_problems} />
      </div>
    );
  }
  if (edge.applied_version === null) return <Text c="dimmed">—</Text>;
  const isNewest = edge.applied_version === wanted;
  return <State tone={isNewest ? "good" : "waiting"} label={isNewest ? `${edge.applied_version}` : `${edge.applied_version} of ${wanted}`} />;
}

interface EnrollProps {
  enrollment: EnrollmentCode;
  /** The edge as it stands now; it comes online while the dialog is open. */
  edge: Edge | undefined;
  zone: string;
  onClose: () => void;
}

function EnrollDialog({ enrollment, edge, zone, onClose }: EnrollProps) {
  return (
    <Modal opened onClose={onClose} title={`Enroll ${edge?.name ?? "the edge"}`} size="lg" closeOnClickOutside={false}>
      <Stack>
        <Text size="sm">
          Run this command as root on the machine that shall be the edge: it installs the agent, enrolls it and starts it.
        </Text>
        <Copyable label="Command" text={enrollment.command} />
        <Copyable label="One-time code" text={enrollment.code} />
        <Text size="sm" c="dimmed">
          The code is shown only now, works once, and ends <Moment at={enrollment.expires_at} zone={zone} />.
        </Text>
        {edge?.online ? (
          <Alert color="green" title="The edge is online" role="status">
            It applies the site's configuration by itself.
          </Alert>
        ) : (
          <State tone="waiting" label={edge?.enrolled_at ? "Waiting for it to come online" : "Waiting for enrollment"} />
        )}
        <Group justify="flex-end">
          <Button onClick={onClose}>Done</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
