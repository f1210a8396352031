/** A user's lines: what its phones authenticate as; passwords are shown only when made. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh, useLiveAll } from "../api/live";
import type { LineWithPassword, User } from "../api/types";
import { ShownOnce } from "../shell/ShownOnce";
import { tellProblem } from "../shell/notices";

export function UserLines({ user }: { user: User }) {
  const lines = useLiveAll(
    ["lines", user.id],
    (init, cursor) => api.GET("/lines", { ...init, params: { query: { user_id: user.id, limit: 200, cursor } } }),
    { poll: false },
  );
  const [made, setMade] = useState<LineWithPassword | null>(null);
  const show = (call: Promise<LineWithPassword>) => {
    call.then((line) => {
      setMade(line);
      return refresh(["lines", user.id]);
    }, tellProblem);
  };
  const rotate = (line_id: string) => show(bodyOf(api.POST("/lines/{line_id}/password", { params: { path: { line_id } } })));
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Text size="sm" fw={560}>
          Lines
        </Text>
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => show(bodyOf(api.POST("/lines", { body: { user_id: user.id, label: "" } })))}
        >
          New soft phone line
        </Button>
      </Group>
      {lines.data?.length === 0 ? (
        <Text size="sm" c="dimmed">
          None. A device brings its own; a soft phone gets one here.
        </Text>
      ) : null}
      {lines.data?.map((line) => (
        <Group key={line.id} justify="space-between" wrap="nowrap">
          <div>
            <Text size="sm" className="mono wrap-anywhere">
              {line.auth_username}
            </Text>
            <Text size="xs" c="dimmed">
              {line.device_id ? `line ${line.position} of a device` : "soft phone"}
            </Text>
          </div>
          <Button
            size="compact-sm"
            variant="subtle"
            onClick={() => rotate(line.id)}
            aria-label={`New password for ${line.auth_username}`}
          >
            New password
          </Button>
        </Group>
      ))}
      {made ? <LineSecret lines={[made]} onClose={() => setMade(null)} /> : null}
    </Stack>
  );
}

/** The credentials of lines that were just made. */
export function LineSecret({ lines, onClose }: { lines: readonly LineWithPassword[]; onClose: () => void }) {
  const numbered = lines.length > 1;
  const secrets = lines.flatMap((line) => {
    const suffix = numbered ? ` of line ${line.position}` : "";
    return [
      { label: `Authentication name${suffix}`, value: line.auth_username },
      { label: `Password${suffix}`, value: line.password },
    ];
  });
  return (
    <ShownOnce
      title="Credentials of the line"
      text="A provisioned phone gets them by itself; a soft phone is told them by hand."
      secrets={secrets}
      onClose={onClose}
    />
  );
}
