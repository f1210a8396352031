/** How far a device is with its files: fetched when, or asked to fetch again and what came of it. */
import { Text } from "@mantine/core";

import type { Device } from "../api/types";
import { State } from "../shell/State";
import { Ago } from "../shell/When";
import { resyncStates } from "./resyncStates";

export function VisitState({ device }: { device: Device }) {
  const visit = device.visit;
  if (device.model === "announced/any") {
    return <State tone="waiting" label="Announced" detail="waits for its phone" />;
  }
  if (!visit?.fetched_at) {
    return (
      <Text c="dimmed" size="sm">
        not fetched yet
      </Text>
    );
  }
  const fetched = (
    <>
      <Ago at={visit.fetched_at} /> by {visit.protocol.toUpperCase()}
    </>
  );
  const going = ["deferred", "asked", "failed"].includes(visit.resync_state);
  if (!going) return <State tone="good" label="Fetched" detail={fetched} />;
  const shown = resyncStates[visit.resync_state as keyof typeof resyncStates];
  return <State tone={shown.tone} label={shown.label} hint={visit.resync_text || undefined} detail={fetched} />;
}
