/** The files that a phone sent: its logs, and what was set on the phone itself; passwords in them are struck out. */
import { Anchor, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { api } from "../api/client";
import { useLive } from "../api/live";
import type { PhoneUpload } from "../api/types";
import { DownloadText } from "../shell/DownloadText";
import { Loaded } from "../shell/Page";
import { Ago } from "../shell/When";

export function PhoneUploads({ uploads }: { uploads: readonly PhoneUpload[] }) {
  const [opened, setOpened] = useState<PhoneUpload | null>(null);
  if (uploads.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        None. Some phones send their log or what was set on them; the newest of each name is kept.
      </Text>
    );
  }
  return (
    <Stack gap={6}>
      {uploads.map((upload) => (
        <Group key={upload.id} justify="space-between" wrap="nowrap">
          <Anchor component="button" type="button" className="mono wrap-anywhere" ta="left" onClick={() => setOpened(upload)}>
            {upload.name}
          </Anchor>
          <Text size="sm" c="dimmed" style={{ whiteSpace: "nowrap" }}>
            {upload.size} bytes, <Ago at={upload.sent_at} />
          </Text>
        </Group>
      ))}
      {opened ? <UploadText upload={opened} onClose={() => setOpened(null)} /> : null}
    </Stack>
  );
}

function UploadText({ upload, onClose }: { upload: PhoneUpload; onClose: () => void }) {
  const query = useLive(
    ["phone-upload", upload.id],
    (init) => api.GET("/phone-uploads/{upload_id}", { ...init, params: { path: { upload_id: upload.id } } }),
    { poll: false },
  );
  return (
    <Modal opened onClose={onClose} title={upload.name} size="xl">
      <Loaded query={query}>
        {(found) => (
          <Stack>
            <pre className="secret mono file-text">{found.text}</pre>
            <Group justify="flex-end">
              <DownloadText name={upload.name} text={found.text} label="Download" />
            </Group>
          </Stack>
        )}
      </Loaded>
    </Modal>
  );
}
