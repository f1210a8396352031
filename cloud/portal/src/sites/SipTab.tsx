/** What a site decides about its SIP: who is trusted, where users may call, and what is dialled for help. */
import { Button, Group, SimpleGrid, Stack, Table, Text } from "@mantine/core";
import { useState } from "react";

import type { Site } from "../api/types";
import { Card } from "./OverviewTab";
import { SipForm } from "./SipForm";
import { fromPolicyText, peerText, relayMediaText, remoteText } from "./sipPolicy";

export function SipTab({ site }: { site: Site }) {
  const [editing, setEditing] = useState(false);
  const { sip } = site;
  return (
    <Stack>
      <Group justify="flex-end">
        <Button variant="default" onClick={() => setEditing(true)}>
          Edit SIP rules
        </Button>
      </Group>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Card title="Callers">
          <Text size="sm">{fromPolicyText(sip.from_policy)}</Text>
        </Card>
        <Card title="Numbers for help">
          <Text size="sm">{sip.numbers_for_help.join(", ") || "Those of the dial plan only."}</Text>
          <Text size="sm" c="dimmed" mt="xs">
            Calls to them need no password and are turned away last.
          </Text>
        </Card>
        <Card title="Hosts beyond the site">
          <Text size="sm" className="wrap-anywhere">
            {sip.foreign_hosts.join(", ") || "None: users reach the site, its phones and the dial plan’s gateways only."}
          </Text>
        </Card>
        <Card title="Remote phones">
          <Text size="sm">{relayMediaText(sip.relay_media)}</Text>
          <Text size="sm" c="dimmed" mt="xs" className="wrap-anywhere">
            {remoteText(sip)}
          </Text>
        </Card>
        <Card title="Trusted peers">
          {sip.trusted_peers.length === 0 ? (
            <Text size="sm">None besides the site’s own services and gateways.</Text>
          ) : (
            <Table>
              <Table.Tbody>
                {sip.trusted_peers.map((peer) => (
                  <Table.Tr key={peer.name}>
                    <Table.Td>{peer.name}</Table.Td>
                    <Table.Td>{peerText(peer)}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )}
        </Card>
      </SimpleGrid>
      {editing ? <SipForm site={site} onClose={() => setEditing(false)} /> : null}
    </Stack>
  );
}
