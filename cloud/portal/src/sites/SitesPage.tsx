/** Every site in scope with its edge's state, live. */
import { Button, Group, SegmentedControl, Text, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import type { Site } from "../api/types";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded, Page } from "../shell/Page";
import { PlusIcon, SearchIcon } from "../shell/icons";
import { useTenants } from "../tenants/useTenants";
import { EdgeState, VersionState, Versions } from "./EdgeState";
import { SiteForm } from "./SiteForm";
import { chooseSites, countSites, type SiteChoice } from "./chooseSites";
import { useSites } from "./useSites";

export function SitesPage() {
  const sites = useSites();
  const tenants = useTenants();
  const [search, setSearch] = useState("");
  const [choice, setChoice] = useState<SiteChoice>("all");
  const [creating, setCreating] = useState(false);
  const names = useMemo(() => new Map(tenants.data?.map((tenant) => [tenant.id, tenant.name])), [tenants.data]);
  const noTenant = tenants.data?.length === 0;

  const columns: Column<Site>[] = [
    {
      title: "Site",
      cell: (site) => (
        <Link to="/sites/$siteId" params={{ siteId: site.id }} className="row-link">
          {site.name}
        </Link>
      ),
    },
    { title: "Tenant", cell: (site) => names.get(site.tenant_id) ?? "" },
    { title: "Edge", cell: (site) => <EdgeState site={site} /> },
    { title: "Configuration", cell: (site) => <VersionState site={site} /> },
    { title: "Wanted / applied", cell: (site) => <Versions site={site} /> },
  ];
  return (
    <Page
      title="Sites"
      actions={
        <Button leftSection={<PlusIcon size={16} />} onClick={() => setCreating(true)} disabled={noTenant}>
          New site
        </Button>
      }
    >
      <Loaded query={sites}>
        {(all) => {
          if (all.length === 0) {
            return (
              <div className="card">
                <Empty
                  title="No sites yet"
                  action={
                    noTenant ? (
                      <Button component={Link} to="/tenants" mt="xs">
                        Create a tenant
                      </Button>
                    ) : (
                      <Button mt="xs" onClick={() => setCreating(true)}>
                        Create a site
                      </Button>
                    )
                  }
                >
                  {noTenant
                    ? "A site is a location of a tenant: begin with the tenant."
                    : "A site is a customer's location with an edge of its own. Create one, add users and devices, then enroll its edge."}
                </Empty>
              </div>
            );
          }
          const counts = countSites(all);
          const shown = chooseSites(all, names, search, choice);
          return (
            <>
              <Group gap="sm">
                <TextInput
                  aria-label="Search sites and tenants"
                  placeholder="Search site or tenant"
                  leftSection={<SearchIcon size={16} />}
                  value={search}
                  onChange={(event) => setSearch(event.currentTarget.value)}
                  w={{ base: "100%", xs: 260 }}
                />
                <SegmentedControl
                  aria-label="Which sites"
                  size="xs"
                  value={choice}
                  onChange={(value) => setChoice(value as SiteChoice)}
                  data={[
                    { value: "all", label: `All ${counts.all}` },
                    { value: "online", label: `Online ${counts.online}` },
                    { value: "offline", label: `Offline ${counts.offline}` },
                    { value: "waiting", label: `Waiting ${counts.waiting}` },
                  ]}
                />
              </Group>
              {shown.length > 0 ? (
                <DataTable label="Sites" columns={columns} rows={shown} rowKey={(site) => site.id} />
              ) : (
                <div className="card">
                  <Empty title="No site fits">
                    <Text component="span" size="sm">
                      Change the search or the filter.
                    </Text>
                  </Empty>
                </div>
              )}
            </>
          );
        }}
      </Loaded>
      {creating ? <SiteForm tenants={tenants.data ?? []} onClose={() => setCreating(false)} /> : null}
    </Page>
  );
}
