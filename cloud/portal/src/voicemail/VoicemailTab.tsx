/** How a site's mailboxes answer, and what they keep. */
import { Button, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { useState } from "react";

import type { Site } from "../api/types";
import { Card } from "../sites/OverviewTab";
import { SiteLists } from "./SiteLists";
import { VoicemailForm } from "./VoicemailForm";
import { keptText, languageName, lengthText } from "./voicemailText";

export function VoicemailTab({ site }: { site: Site }) {
  const [editing, setEditing] = useState(false);
  const rules = site.voicemail;
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          Every user with the permission Voicemail has a mailbox at the site’s edge. It takes the calls that nobody takes.
        </Text>
        <Button variant="default" onClick={() => setEditing(true)}>
          Edit voicemail
        </Button>
      </Group>
      <SimpleGrid cols={{ base: 1, md: 3 }}>
        <Card title="Speaks">
          <Text size="sm">{languageName(rules.language)}</Text>
          <Text size="sm" c="dimmed" mt="xs">
            {rules.operator ? `Key 0 calls ${rules.operator}.` : "Key 0 calls nobody."}
          </Text>
        </Card>
        <Card title="Messages">
          <Text size="sm">{lengthText(rules)}</Text>
        </Card>
        <Card title="Kept">
          <Text size="sm">{keptText(rules)}</Text>
          <Text size="sm" c="dimmed" mt="xs">
            {rules.recordings_leave ? "Recordings may leave the site." : "Recordings stay at the site."}
          </Text>
        </Card>
      </SimpleGrid>
      <SiteLists site={site} />
      {editing ? <VoicemailForm site={site} onClose={() => setEditing(false)} /> : null}
    </Stack>
  );
}
