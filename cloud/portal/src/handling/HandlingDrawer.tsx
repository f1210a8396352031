/** A user's calls, as an administrator sees and sets them: the same as the user, and at whose phones he is logged in. */
import { Drawer, Fieldset, ScrollArea, Stack, Text } from "@mantine/core";

import { api } from "../api/client";
import { useLive } from "../api/live";
import type { HotDesks, Site, User } from "../api/types";
import { ImapForm } from "../messages/ImapForm";
import { MailForm } from "../messages/MailForm";
import { MailboxOnly, Messages } from "../messages/Messages";
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
        <MailboxOnly userId={user.id}>
          <Fieldset legend="Messages" miw={0}>
            <Text size="sm" c="dimmed" mb="sm">
              That you listened is written into the audit.
            </Text>
            <Messages userId={user.id} />
          </Fieldset>
          <MailForm userId={user.id} />
          <ImapForm userId={user.id} />
        </MailboxOnly>
      </Stack>
    </Drawer>
  );
}
