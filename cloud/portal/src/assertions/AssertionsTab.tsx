/** What is expected of a site's calls, and whether it holds. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh, useLive, useLiveAll } from "../api/live";
import type { AssertionVerdict, CallAssertion, Plan, Site, User } from "../api/types";
import { useDialPlan } from "../dialplan/useDialPlan";
import { Confirm } from "../shell/Confirm";
import { DataTable } from "../shell/DataTable";
import { Empty, Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { State } from "../shell/State";
import { tellDone } from "../shell/notices";
import { useUsers } from "../users/useUsers";
import { callText, outcomeText } from "./expectation";

export function AssertionsTab({ site }: { site: Site }) {
  const path = { site_id: site.id };
  const assertions = useLiveAll<CallAssertion>(["call-assertions", site.id], (init, cursor) =>
    api.GET("/sites/{site_id}/call-assertions", { ...init, params: { path, query: { limit: 200, cursor } } }),
  );
  const run = useLive<{ items: AssertionVerdict[] }>(
    ["call-assertions", site.id, "run"],
    () => api.POST("/sites/{site_id}/call-assertions/run", { params: { path }, body: {} }),
    { poll: false },
  );
  const plan = useDialPlan(site.id);
  const users = useUsers(site.id, { poll: false });
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed" maw={720}>
          Whatever is saved or published has to send these calls where they are expected; what does not is refused, with the
          reason. To add one, try a call on the page of the dial plan and keep it.
        </Text>
        <Group gap="xs">
          <Button variant="default" component={Link} to={`/sites/${site.id}/dial-plan`}>
            Try a call
          </Button>
          <Button loading={run.isFetching} onClick={() => void run.refetch()}>
            Run all
          </Button>
        </Group>
      </Group>
      {run.error ? (
        <Text size="sm" c="red" role="alert">
          They could not be run: {run.error.message}
        </Text>
      ) : null}
      <Loaded query={assertions}>
        {(all) =>
          all.length === 0 ? (
            <div className="card">
              <Empty title="Nothing is expected yet">
                An assertion guards what must not break: that 112 leaves by the right gateway, that the main number rings the
                reception.
              </Empty>
            </div>
          ) : (
            <List
              site={site}
              all={all}
              verdicts={run.data?.items ?? []}
              plan={plan.data?.document ?? ({} as Plan)}
              users={users.data ?? []}
            />
          )
        }
      </Loaded>
    </Stack>
  );
}

interface Props {
  site: Site;
  all: CallAssertion[];
  verdicts: AssertionVerdict[];
  plan: Plan;
  users: User[];
}

function List({ site, all, verdicts, plan, users }: Props) {
  const [deleted, setDeleted] = useState<CallAssertion | null>(null);
  const verdictOf = (one: CallAssertion) => verdicts.find((each) => each.assertion_id === one.id);
  return (
    <>
      <DataTable
        label="Call assertions"
        rows={all}
        rowKey={(one) => one.id}
        columns={[
          {
            title: "Name",
            cell: (one) => (
              <Text size="sm" fw={550}>
                {one.name}
              </Text>
            ),
          },
          { title: "Call", cell: (one) => callText(one.content.call, users, plan) },
          { title: "Expected", cell: (one) => outcomeText(one.content) },
          { title: "Holds", cell: (one) => <Verdict verdict={verdictOf(one)} /> },
          {
            title: "",
            align: "right",
            cell: (one) => <RowActions name={one.name} onDelete={() => setDeleted(one)} />,
          },
        ]}
      />
      {deleted ? (
        <Confirm
          title={`Delete ${deleted.name}?`}
          action="Delete assertion"
          run={async () => {
            const params = { path: { site_id: site.id, assertion_id: deleted.id }, header: ifMatch(deleted.version) };
            await bodyOf(api.DELETE("/sites/{site_id}/call-assertions/{assertion_id}", { params }));
            await refresh(["call-assertions", site.id]);
            tellDone("The assertion was deleted");
          }}
          onClose={() => setDeleted(null)}
        >
          Plans that send this call elsewhere are not refused any more.
        </Confirm>
      ) : null}
    </>
  );
}

function Verdict({ verdict }: { verdict: AssertionVerdict | undefined }) {
  if (verdict === undefined) return <State tone="idle" label="Not run" />;
  if (verdict.holds) return <State tone="good" label="Holds" hint={verdict.text} />;
  return <State tone="bad" label="Does not hold" detail={verdict.text} />;
}
