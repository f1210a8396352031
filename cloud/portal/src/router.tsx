/** The portal's addresses; they are the API's own words, and either is told by what the client accepts. */
import { Button } from "@mantine/core";
import { Link, createRootRoute, createRoute, createRouter, redirect } from "@tanstack/react-router";

import { AuditPage } from "./audit/AuditPage";
import { FirmwarePage } from "./firmware/FirmwarePage";
import { DevicePluginsPage } from "./plugins/DevicePluginsPage";
import { RedirectsPage } from "./redirects/RedirectsPage";
import { OwnQueuesPage } from "./queues/OwnQueuesPage";
import { Wallboard } from "./queues/Wallboard";
import { OWN_QUEUES_PATH } from "./queues/paths";
import { AccountPage } from "./session/AccountPage";
import { Gate } from "./session/Gate";
import { useSession } from "./session/session";
import { Empty, Page } from "./shell/Page";
import { SitePage } from "./sites/SitePage";
import { SitesPage } from "./sites/SitesPage";
import { TenantsPage } from "./tenants/TenantsPage";
import { EndpointPage } from "./webhooks/EndpointPage";
import { WebhooksPage } from "./webhooks/WebhooksPage";

const root = createRootRoute({ component: Gate, notFoundComponent: NotFound });

const start = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/sites" });
  },
});
const sites = createRoute({ getParentRoute: () => root, path: "/sites", component: SitesPage });
const site = createRoute({
  getParentRoute: () => root,
  path: "/sites/$siteId",
  component: function Site() {
    const { siteId } = site.useParams();
    return <SitePage key={siteId} siteId={siteId} tab="overview" />;
  },
});
const siteTab = createRoute({
  getParentRoute: () => root,
  path: "/sites/$siteId/$tab",
  component: function SiteTab() {
    const { siteId, tab } = siteTab.useParams();
    return <SitePage key={siteId} siteId={siteId} tab={tab} />;
  },
});
const wallboard = createRoute({
  getParentRoute: () => root,
  path: "/sites/$siteId/wallboard",
  component: function WallboardOfSite() {
    const { siteId } = wallboard.useParams();
    const session = useSession();
    return session.phase === "logged-in" ? <Wallboard key={siteId} siteId={siteId} account={session.account} /> : null;
  },
});
const ownQueues = createRoute({
  getParentRoute: () => root,
  path: OWN_QUEUES_PATH,
  component: function OwnQueuesOfAccount() {
    const session = useSession();
    return session.phase === "logged-in" ? <OwnQueuesPage account={session.account} /> : null;
  },
});
const tenants = createRoute({ getParentRoute: () => root, path: "/tenants", component: TenantsPage });
const devicePlugins = createRoute({ getParentRoute: () => root, path: "/device-plugins", component: DevicePluginsPage });
const firmware = createRoute({ getParentRoute: () => root, path: "/firmware", component: FirmwarePage });
const redirects = createRoute({ getParentRoute: () => root, path: "/redirect-accounts", component: RedirectsPage });
const webhooks = createRoute({ getParentRoute: () => root, path: "/webhook-endpoints", component: WebhooksPage });
const endpoint = createRoute({
  getParentRoute: () => root,
  path: "/webhook-endpoints/$endpointId",
  component: function Endpoint() {
    const { endpointId } = endpoint.useParams();
    return <EndpointPage key={endpointId} endpointId={endpointId} />;
  },
});
const audit = createRoute({ getParentRoute: () => root, path: "/audit", component: AuditPage });
const account = createRoute({
  getParentRoute: () => root,
  path: "/account",
  component: function MyAccount() {
    const session = useSession();
    return session.phase === "logged-in" ? <AccountPage account={session.account} /> : null;
  },
});

function NotFound() {
  return (
    <Page title="Page not found">
      <div className="card">
        <Empty title="There is no such page" action={<Button component={Link} to="/sites">To the sites</Button>} />
      </div>
    </Page>
  );
}

export const router = createRouter({
  routeTree: root.addChildren([start, sites, site, siteTab, wallboard, ownQueues, tenants, devicePlugins, firmware, redirects, webhooks, endpoint, audit, account]),
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
