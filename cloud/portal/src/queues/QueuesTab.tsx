/** A site's call queues at this moment, for administrators. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import type { Site } from "../api/types";
import { useSession } from "../session/session";
import { rightsOf } from "./agentOrders";
import { QueueBoard } from "./QueueBoard";

export function QueuesTab({ site }: { site: Site }) {
  const session = useSession();
  if (session.phase !== "logged-in") return null;
  return (
    <QueueBoard
      siteId={site.id}
      zone={site.time_zone}
      rights={rightsOf(session.account)}
      hasHistory
      actions={
        <Button component={Link} to={`/sites/${site.id}/wallboard`} size="compact-sm" variant="default">
          Wallboard
        </Button>
      }
    />
  );
}
