/** Schedules of the plan: when people work, in the site's own time, and the days on which nobody does. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";

import type { Plan, Schedule, Site } from "../api/types";
import { DataTable } from "../shell/DataTable";
import { RowActions } from "../shell/RowActions";
import { Card } from "../sites/OverviewTab";
import { SchedulePanel } from "./SchedulePanel";
import { hoursText, rulesDuring } from "./hours";
import { freshId } from "./plan";

interface Props {
  site: Site;
  plan: Plan;
  onChange: (schedules: Schedule[]) => void;
}

export function Schedules({ site, plan, onChange }: Props) {
  const [edited, setEdited] = useState<Schedule | null>(null);
  const schedules = plan.schedules ?? [];
  const usedBy = (schedule: Schedule) => rulesDuring(plan.rules ?? [], schedule.schedule_id);
  const begin = () =>
    setEdited({
      schedule_id: freshId("schedule", schedules.map((one) => one.schedule_id)),
      name: "",
      hours: [{ days: [1, 2, 3, 4, 5], start: 480, end: 1020 }],
      holidays: [],
    });
  return (
    <Card title="Schedules">
      <Stack gap="sm">
        {schedules.length === 0 ? (
          <Text size="sm" c="dimmed">
            None yet. Rules that count only during working time, after hours or on holidays go by a schedule.
          </Text>
        ) : (
          <DataTable
            label="Schedules"
            rows={schedules}
            rowKey={(schedule) => schedule.schedule_id}
            columns={[
              { title: "Name", cell: (schedule) => schedule.name },
              { title: "Working time", cell: (schedule) => (schedule.hours ?? []).map(hoursText).join("; ") || "never" },
              { title: "Holidays", cell: (schedule) => (schedule.holidays ?? []).length || "none" },
              { title: "Rules", cell: (schedule) => usedBy(schedule).join(", ") || "none" },
              {
                title: "",
                cell: (schedule) => (
                  <RowActions
                    name={schedule.name}
                    onEdit={() => setEdited(schedule)}
                    onDelete={
                      usedBy(schedule).length === 0
                        ? () => onChange(schedules.filter((one) => one.schedule_id !== schedule.schedule_id))
                        : undefined
                    }
                    deleteLabel="Remove"
                  />
                ),
              },
            ]}
          />
        )}
        <Group>
          <Button variant="default" size="compact-sm" onClick={begin}>
            Add a schedule
          </Button>
        </Group>
      </Stack>
      {edited ? (
        <SchedulePanel
          site={site}
          schedule={edited}
          isNew={!schedules.some((one) => one.schedule_id === edited.schedule_id)}
          onClose={() => setEdited(null)}
          onDone={(schedule) => {
            const at = schedules.findIndex((one) => one.schedule_id === schedule.schedule_id);
            onChange(at < 0 ? [...schedules, schedule] : schedules.map((one, place) => (place === at ? schedule : one)));
            setEdited(null);
          }}
        />
      ) : null}
    </Card>
  );
}
