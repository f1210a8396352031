/** One site: its tabs, each with an address of its own. */
import { Anchor, Button, Tabs } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import { ProblemError } from "../api/problem";
import type { Site } from "../api/types";
import { AssertionsTab } from "../assertions/AssertionsTab";
import { CallsTab } from "../calls/CallsTab";
import { DevicesTab } from "../devices/DevicesTab";
import { DialPlanTab } from "../dialplan/DialPlanTab";
import { EdgesTab } from "../edges/EdgesTab";
import { EmergencyTab } from "../emergency/EmergencyTab";
import { GroupsTab } from "../groups/GroupsTab";
import { PhonebookTab } from "../groups/PhonebookTab";
import { LevelsTab } from "../levels/LevelsTab";
import { NumbersTab } from "../numbers/NumbersTab";
import { DhcpOptionsTab } from "../phones/DhcpOptionsTab";
import { PhoneRulesTab } from "../phones/PhoneRulesTab";
import { UnknownPhonesTab } from "../phones/UnknownPhonesTab";
import { Confirm } from "../shell/Confirm";
import { Empty, Loaded, Page } from "../shell/Page";
import { tellDone } from "../shell/notices";
import { SnapshotsTab } from "../snapshots/SnapshotsTab";
import { useTenants } from "../tenants/useTenants";
import { TrunksTab } from "../trunks/TrunksTab";
import { UsersTab } from "../users/UsersTab";
import { VoicemailTab } from "../voicemail/VoicemailTab";
import { EdgeState } from "./EdgeState";
import { OverviewTab } from "./OverviewTab";
import { SipTab } from "./SipTab";
import { SiteForm } from "./SiteForm";
import { useSite } from "./useSites";

const TABS = [
  { value: "overview", label: "Overview", content: OverviewTab },
  { value: "users", label: "Users", content: UsersTab },
  { value: "dial-plan", label: "Dial plan", content: DialPlanTab },
  { value: "call-assertions", label: "Call assertions", content: AssertionsTab },
  { value: "trunks", label: "Trunks", content: TrunksTab },
  { value: "numbers", label: "Numbers", content: NumbersTab },
  { value: "emergency", label: "Emergency", content: EmergencyTab },
  { value: "groups", label: "Groups", content: GroupsTab },
  { value: "phonebook", label: "Phonebook", content: PhonebookTab },
  { value: "voicemail", label: "Voicemail", content: VoicemailTab },
  { value: "devices", label: "Devices", content: DevicesTab },
  { value: "device-settings", label: "Phone settings", content: LevelsTab },
  { value: "unknown-phones", label: "Unknown phones", content: UnknownPhonesTab },
  { value: "phone-rules", label: "Phone rules", content: PhoneRulesTab },
  { value: "dhcp", label: "DHCP", content: DhcpOptionsTab },
  { value: "calls", label: "Calls", content: CallsTab },
  { value: "snapshots", label: "Snapshots", content: SnapshotsTab },
  { value: "edges", label: "Edges", content: EdgesTab },
  { value: "sip", label: "SIP", content: SipTab },
] as const;

export function SitePage({ siteId, tab }: { siteId: string; tab: string }) {
  const query = useSite(siteId);
  if (query.error instanceof ProblemError && [404, 422].includes(query.error.status)) {
    return (
      <Page title="Site not found">
        <div className="card">
          <Empty title="There is no such site" action={<Button component={Link} to="/sites">To the sites</Button>}>
            It may have been deleted, or belongs to someone else.
          </Empty>
        </div>
      </Page>
    );
  }
  return <Loaded query={query}>{(site) => <FoundSite site={site} tab={tab} />}</Loaded>;
}

function FoundSite({ site, tab }: { site: Site; tab: string }) {
  const navigate = useNavigate();
  const tenants = useTenants();
  const [editing, setEditing] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const tenant = tenants.data?.find((one) => one.id === site.tenant_id);
  const current = TABS.find((one) => one.value === tab) ?? TABS[0];
  return (
    <Page
      title={site.name}
      trail={
        <>
          <Anchor component={Link} to="/sites" size="sm">
            Sites
          </Anchor>
          {tenant ? ` / ${tenant.name}` : null}
        </>
      }
      beside={<EdgeState site={site} />}
      actions={
        <>
          <Button variant="default" onClick={() => setEditing(true)}>
            Edit site
          </Button>
          <Button variant="subtle" color="red" c="red" onClick={() => setDeleting(true)}>
            Delete
          </Button>
        </>
      }
    >
      <Tabs
        value={current.value}
        onChange={(value) => void navigate({ to: "/sites/$siteId/$tab", params: { siteId: site.id, tab: value ?? "overview" } })}
        keepMounted={false}
      >
        <Tabs.List className="tabs-list" mb="md">
          {TABS.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {TABS.map(({ value, content: Content }) => (
          <Tabs.Panel key={value} value={value}>
            <Content site={site} />
          </Tabs.Panel>
        ))}
      </Tabs>
      {editing ? <SiteForm site={site} onClose={() => setEditing(false)} /> : null}
      {deleting ? (
        <Confirm
          title={`Delete ${site.name}?`}
          action="Delete site"
          run={async () => {
            const params = { path: { site_id: site.id }, header: ifMatch(site.version) };
            await bodyOf(api.DELETE("/sites/{site_id}", { params }));
            await refresh(["sites"]);
            tellDone(`Site ${site.name} was deleted`);
            await navigate({ to: "/sites" });
          }}
          onClose={() => setDeleting(false)}
        >
          Its users, devices, call records and edges are deleted with it. Phones at the site stop working. This cannot be
          undone.
        </Confirm>
      ) : null}
    </Page>
  );
}
