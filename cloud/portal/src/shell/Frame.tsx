/** What stands around every page: where one can go, who one is, and how to leave. */
import {
  ActionIcon,
  AppShell,
  Burger,
  Group,
  Menu,
  NavLink,
  Stack,
  Text,
  Tooltip,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, useLocation, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { Account } from "../api/types";
import { ROLE_NAMES } from "../session/roles";
import { logOut } from "../session/session";
import { AccountIcon, AuditIcon, FirmwareIcon, LogOutIcon, MoonIcon, PhoneIcon, RedirectIcon, SiteIcon, SunIcon, TenantIcon, WebhookIcon } from "./icons";

const PLACES = [
  { to: "/sites", label: "Sites", icon: SiteIcon },
  { to: "/tenants", label: "Tenants", icon: TenantIcon },
  { to: "/device-plugins", label: "Phones", icon: PhoneIcon },
  { to: "/firmware", label: "Firmware", icon: FirmwareIcon },
  { to: "/redirect-accounts", label: "Redirect services", icon: RedirectIcon },
  { to: "/webhook-endpoints", label: "Webhooks", icon: WebhookIcon },
  { to: "/audit", label: "Audit", icon: AuditIcon },
] as const;

export function Frame({ account, children }: { account: Account; children: ReactNode }) {
  const [opened, { toggle, close }] = useDisclosure(false);
  const { pathname } = useLocation();
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 208, breakpoint: "sm", collapsed: { mobile: !opened } }}
      padding={{ base: "sm", sm: "lg" }}
    >
      <a className="skip-link" href="#main">
        Skip to the page
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" />
            <img src="/tandem.svg" alt="" width={26} height={26} />
            <Text fw={650} size="lg">
              Tandem
            </Text>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <SchemeToggle />
            <AccountMenu account={account} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Main">
        <Stack gap={2}>
          {(account.role === "user" ? [] : PLACES).map(({ to, label, icon: Icon }) => (
            <NavLink
              key={to}
              component={Link}
              to={to}
              label={label}
              leftSection={<Icon />}
              active={pathname.startsWith(to)}
              aria-current={pathname.startsWith(to) ? "page" : undefined}
              onClick={close}
              style={{ borderRadius: 6 }}
            />
          ))}
        </Stack>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} style={{ outline: "none" }}>
        <div style={{ maxWidth: 1320, marginInline: "auto" }}>
          {children}
        </div>
      </AppShell.Main>
    </AppShell>
  );
}

export function SchemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light") === "dark";
  const label = dark ? "Use light colours" : "Use dark colours";
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label} onClick={() => setColorScheme(dark ? "light" : "dark")}>
        {dark ? <SunIcon /> : <MoonIcon />}
      </ActionIcon>
    </Tooltip>
  );
}

function AccountMenu({ account }: { account: Account }) {
  const navigate = useNavigate();
  const name = account.display_name || account.email;
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <UnstyledButton aria-label={`Account: ${name}`} px={6} py={4}>
          <Group gap={8} wrap="nowrap">
            <AccountIcon />
            <Text size="sm" visibleFrom="xs">
              {name}
            </Text>
          </Group>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {account.email}
          <br />
          {ROLE_NAMES[account.role]}
        </Menu.Label>
        <Menu.Item leftSection={<AccountIcon size={16} />} onClick={() => void navigate({ to: "/account" })}>
          Account
        </Menu.Item>
        <Menu.Item leftSection={<LogOutIcon size={16} />} onClick={() => void logOut()}>
          Log out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
