/** A user's calls, as an administrator sees and sets them: the same as the user, and at whose phones he is logged in. */
import { Drawer, ScrollArea, Stack, Text } from "@mantine/core";

import { api } from "../api/client";
import { useLive } from "../api/live";
import type { HotDesks, Site, User } from "../api/types";
import { HandlingForm } from "./HandlingForm";

interface Props {
  site: Site;
  user: User;
  onClose: () => void;
}

export function HandlingDrawer({ site, user, onClose }: Props) {
  const desks = useLive<HotDesks>(["hot-desks", site.id], (init) =>
    api.GET("/sites/{site_id}/hot-desks", { ...init, params: { path: { site_id: site.id } } }),
  );
  const at = (desks.data?.items ?? []).filter((one) => one.user_id === user.id);
  return (
    <Drawer
      opened
      onClose={onClose}
      title={`Calls of ${user.display_name || user.username}`}
      position="right"
      size="xl"
      scrollAreaComponent={ScrollArea.Autosize}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          {at.length > 0
            ? `Logged in at the phones of ${at.map((one) => one.host).join(", ")}.`
            : "Not logged in at anybody else’s phone."}{" "}
          {user.caller_id ? `Calls to the outside show ${user.caller_id}.` : "Calls to the outside show the caller ID of their way out."}
        </Text>
        <HandlingForm userId={user.id} />
      </Stack>
    </Drawer>
  );
}
