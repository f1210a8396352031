/** Lets whoever is logged in through to the page of the address; everyone else logs in first, and then gets there. */
import { Center, Loader, Stack, Text } from "@mantine/core";
import { Outlet } from "@tanstack/react-router";

import { Frame } from "../shell/Frame";
import { Empty } from "../shell/Page";
import { LogInPage } from "./LogInPage";
import { AccountPage } from "./AccountPage";
import { useSession } from "./session";

export function Gate() {
  const session = useSession();
  switch (session.phase) {
    case "starting":
      return (
        <Center mih="100dvh">
          <Loader aria-label="Loading" />
        </Center>
      );
    case "logged-out":
      return <LogInPage ended={session.ended} />;
    case "logged-in":
      return (
        <Frame account={session.account}>
          {session.account.role === "user" ? (
            <Stack>
              <Empty title="This portal is for administrators">
                <Text component="span" size="sm">
                  With a user's account you can change your password here.
                </Text>
              </Empty>
              <AccountPage account={session.account} />
            </Stack>
          ) : (
            <Outlet />
          )}
        </Frame>
      );
  }
}
