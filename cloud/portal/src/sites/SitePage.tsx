/** One site: its tabs, each with an address of its own. */
import { Anchor, Button, Select, Tabs, Text } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { Fragment, useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import { ProblemError } from "../api/problem";
import type { Site } from "../api/types";
import { AssertionsTab } from "../assertions/AssertionsTab";
import { AttendantsTab } from "../attendants/AttendantsTab";
import { CallsTab } from "../calls/CallsTab";
import { ConferencesTab } from "../conferences/ConferencesTab";
import { ServicesTab } from "../services/ServicesTab";
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
import { QueueEditorTab } from "../queues/QueueEditorTab";
import { QueueHistoryTab } from "../queues/QueueHistoryTab";
import { QueuesTab } from "../queues/QueuesTab";
import { RecordingTab } from "../recording/RecordingTab";
import { Confirm } from "../shell/Confirm";
import { Empty, Loaded, Page } from "../shell/Page";
import { tellDone } from "../shell/notices";
import { SnapshotsTab } from "../snapshots/SnapshotsTab";
import { useTenants } from "../tenants/useTenants";
import { SoundsTab } from "../sounds/SoundsTab";
import { TrunksTab } from "../trunks/TrunksTab";
import { UsersTab } from "../users/UsersTab";
import { VoicemailTab } from "../voicemail/VoicemailTab";
import { EdgeState } from "./EdgeState";
import { OverviewTab } from "./OverviewTab";
import { SipTab } from "./SipTab";
import { SiteForm } from "./SiteForm";
import { useSite } from "./useSites";

/** In groups, as people look for them; each tab has an address of its own. */
const SECTIONS = [
  { label: "Site", tabs: [{ value: "overview", label: "Overview", content: OverviewTab }] },
  {
    label: "People",
    tabs: [
      { value: "users", label: "Users", content: UsersTab },
      { value: "phonebook", label: "Phonebook", content: PhonebookTab },
      { value: "calls", label: "Calls", content: CallsTab },
      { value: "recording", label: "Call recording", content: RecordingTab },
    ],
  },
  {
    label: "Where calls go",
    tabs: [
      { value: "dial-plan", label: "Dial plan", content: DialPlanTab },
      { value: "numbers", label: "Numbers", content: NumbersTab },
      { value: "trunks", label: "Trunks", content: TrunksTab },
      { value: "emergency", label: "Emergency", content: EmergencyTab },
      { value: "call-assertions", label: "Call assertions", content: AssertionsTab },
    ],
  },
  {
    label: "Who answers",
    tabs: [
      { value: "groups", label: "Groups", content: GroupsTab },
      { value: "attendants", label: "Attendants", content: AttendantsTab },
      { value: "call-queues", label: "Call queues", content: QueueEditorTab },
      { value: "queues", label: "Queues now", content: QueuesTab },
      { value: "queue-calls", label: "Queue history", content: QueueHistoryTab },
      { value: "conferences", label: "Conferences", content: ConferencesTab },
      { value: "services", label: "Park and paging", content: ServicesTab },
      { value: "voicemail", label: "Voicemail", content: VoicemailTab },
      { value: "sounds", label: "Music and sounds", content: SoundsTab },
    ],
  },
  {
    label: "Phones",
    tabs: [
      { value: "devices", label: "Devices", content: DevicesTab },
      { value: "device-settings", label: "Phone settings", content: LevelsTab },
      { value: "unknown-phones", label: "Unknown phones", content: UnknownPhonesTab },
      { value: "phone-rules", label: "Phone rules", content: PhoneRulesTab },
      { value: "dhcp", label: "DHCP", content: DhcpOptionsTab },
    ],
  },
  {
    label: "Operation",
    tabs: [
      { value: "edges", label: "Edges", content: EdgesTab },
      { value: "sip", label: "SIP", content: SipTab },
      { value: "snapshots", label: "Snapshots", content: SnapshotsTab },
    ],
  },
] as const;
const TABS = SECTIONS.flatMap((section) => [...section.tabs]);

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
  const current = TABS.find((one) => one.value === tab) ?? SECTIONS[0].tabs[0];
  const open = (value: string) => void navigate({ to: "/sites/$siteId/$tab", params: { siteId: site.id, tab: value } });
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
      <Select
        className="site-select"
        aria-label="Part of the site"
        mb="md"
        allowDeselect={false}
        value={current.value}
        onChange={(value) => open(value ?? "overview")}
        data={SECTIONS.map(({ label, tabs }) => ({ group: label, items: tabs.map(({ value, label }) => ({ value, label })) }))}
      />
      <Tabs
        className="site-tabs"
        orientation="vertical"
        value={current.value}
        onChange={(value) => open(value ?? "overview")}
        keepMounted={false}
      >
        <Tabs.List className="site-tabs-list">
          {SECTIONS.map(({ label, tabs }) => (
            <Fragment key={label}>
              <Text className="site-tabs-section" aria-hidden>
                {label}
              </Text>
              {tabs.map(({ value, label }) => (
                <Tabs.Tab key={value} value={value}>
                  {label}
                </Tabs.Tab>
              ))}
            </Fragment>
          ))}
        </Tabs.List>
        {TABS.map(({ value, content: Content }) => (
          <Tabs.Panel key={value} value={value} className="site-tabs-panel">
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
