/** What the site's DHCP server has to say so that phones find their files, ready to paste. */
import { Stack, Tabs, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";

import { api } from "../api/client";
import { useLive } from "../api/live";
import type { DhcpOption, Site } from "../api/types";
import { Copyable } from "../shell/Copyable";
import { DataTable, type Column } from "../shell/DataTable";
import { Loaded } from "../shell/Page";
import { EdgeDhcp } from "./EdgeDhcp";

const HOST = /^[0-9A-Za-z]([0-9A-Za-z.-]{0,251}[0-9A-Za-z])?$/;

const COLUMNS: Column<DhcpOption>[] = [
  { title: "Option", cell: (option) => option.code },
  { title: "Value", cell: (option) => <span className="mono">{option.value}</span> },
  { title: "For", cell: (option) => option.purpose },
];

export function DhcpOptionsTab({ site }: { site: Site }) {
  const [host, setHost] = useState(site.provisioning.server_name ?? "");
  const usable = HOST.test(host);
  const query = useLive(
    ["dhcp-options", site.id, usable ? host : ""],
    (init) =>
      api.GET("/sites/{site_id}/dhcp-options", {
        ...init,
        params: { path: { site_id: site.id }, query: usable ? { host } : {} },
      }),
    { poll: false },
  );
  return (
    <Stack gap="md">
      <EdgeDhcp site={site} />
      <Title order={2} size="h4">
        For the network's own server
      </Title>
      <Text>
        Phones learn from the network's DHCP server where their files are. Give these options to the phones' network; a
        phone that is plugged in then configures itself.
      </Text>
      <TextInput
        label="The edge's address, as phones reach it"
        placeholder="192.168.10.2"
        value={host}
        onChange={(event) => setHost(event.currentTarget.value.trim())}
        error={host !== "" && !usable ? "A name or an IPv4 address" : undefined}
        maw={360}
      />
      <Loaded query={query}>
        {(found) => (
          <>
            <DataTable label="DHCP options" columns={COLUMNS} rows={found.options} rowKey={(option) => option.code} />
            <Tabs defaultValue="kea" keepMounted={false}>
              <Tabs.List className="tabs-list" mb="sm">
                {found.snippets.map((snippet) => (
                  <Tabs.Tab key={snippet.server} value={snippet.server}>
                    {snippet.label}
                  </Tabs.Tab>
                ))}
              </Tabs.List>
              {found.snippets.map((snippet) => (
                <Tabs.Panel key={snippet.server} value={snippet.server}>
                  <Copyable label={snippet.where} text={snippet.text} />
                </Tabs.Panel>
              ))}
            </Tabs>
          </>
        )}
      </Loaded>
    </Stack>
  );
}
