/** Lets whoever is logged in through to the page of the address; everyone else logs in first, and then gets there. */
import { Center, Loader } from "@mantine/core";
import { Outlet } from "@tanstack/react-router";

import { SelfServicePage } from "../handling/SelfServicePage";
import { Frame } from "../shell/Frame";
import { LogInPage } from "./LogInPage";
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
            <SelfServicePage account={session.account} />
          ) : (
            <Outlet />
          )}
        </Frame>
      );
  }
}
