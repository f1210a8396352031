/** A moment: relative or in a time zone, with UTC beside it for whoever hovers or focuses. */
import { Tooltip } from "@mantine/core";
import { useSyncExternalStore } from "react";

import { agoText, browserZone, momentText, utcText } from "./times";

const TICK_MILLISECONDS = 10_000;
let now = Date.now();
const listeners = new Set<() => void>();
setInterval(() => {
  now = Date.now();
  for (const listener of listeners) listener();
}, TICK_MILLISECONDS);

function useNow(): number {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => now,
  );
}

/** “5 minutes ago”, kept true while it is shown. */
export function Ago({ at }: { at: string }) {
  const current = useNow();
  return (
    <Tooltip label={`${momentText(at, browserZone)} (${browserZone})`}>
      <time dateTime={at}>{agoText(at, Math.max(current, Date.now()))}</time>
    </Tooltip>
  );
}

/** The moment itself; `zone` is the site's. */
export function Moment({ at, zone = browserZone }: { at: string; zone?: string }) {
  return (
    <Tooltip label={utcText(at)}>
      <time dateTime={at} style={{ whiteSpace: "nowrap" }}>
        {momentText(at, zone)}
      </time>
    </Tooltip>
  );
}
