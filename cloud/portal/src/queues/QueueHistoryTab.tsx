/** What became of callers of a site's queues, for administrators. */
import type { Site } from "../api/types";
import { QueueHistory } from "./QueueHistory";
import "./queues.css";

export function QueueHistoryTab({ site }: { site: Site }) {
  return <QueueHistory siteId={site.id} zone={site.time_zone} hasRecords />;
}
