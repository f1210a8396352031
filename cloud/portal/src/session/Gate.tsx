/** Lets whoever is logged in through to the page of the address; everyone else logs in first, and then gets there. */
import { Center, Loader } from "@mantine/core";
import { Outlet, useLocation } from "@tanstack/react-router";

import { SelfServicePage } from "../handling/SelfServicePage";
import { isWallboard, OWN_QUEUES_PATH } from "../queues/paths";
import { Frame } from "../shell/Frame";
import { LogInPage } from "./LogInPage";
import { useSession } from "./session";

export function Gate() {
  const session = useSession();
  const { pathname } = useLocation();
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
      if (isWallboard(pathname)) return <Outlet />;
      return (
        <Frame account={session.account}>
          {session.account.role === "user" && pathname !== OWN_QUEUES_PATH ? (
            <SelfServicePage account={session.account} />
          ) : (
            <Outlet />
          )}
        </Frame>
      );
  }
}
