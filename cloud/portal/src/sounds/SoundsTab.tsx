/** The site's music, and the sound files of its tenant: who uses each, bringing, playing and deleting them. */
import { ActionIcon, Alert, Button, FileButton, Group, Modal, Stack, Text, Tooltip } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh } from "../api/live";
import type { OwnMusic, Plan, Site, Sound } from "../api/types";
import type { PlanPart } from "../dialplan/planPart";
import { useDialPlan } from "../dialplan/useDialPlan";
import { usePart } from "../dialplan/usePart";
import { lengthText } from "../messages/sound";
import { Confirm } from "../shell/Confirm";
import { DataTable } from "../shell/DataTable";
import { Empty, Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { PlayIcon } from "../shell/icons";
import { tellDone, tellProblem } from "../shell/notices";
import { Card } from "../sites/OverviewTab";
import { MusicInput } from "./MusicInput";
import { SoundPlayer } from "./SoundPlayer";
import { sizeText, soundName, usesText } from "./soundText";
import { keepSound, useSounds } from "./useSounds";

interface SiteMusic {
  music: OwnMusic | null;
}

const SITE_MUSIC: PlanPart<SiteMusic> = {
  find: (plan) => ({ music: plan.music ?? null }),
  put: (plan, value) => ({ ...plan, music: value?.music ?? null }),
  at: () => "music",
};

export function SoundsTab({ site }: { site: Site }) {
  const plan = useDialPlan(site.id);
  return (
    <Stack>
      <Loaded query={plan}>{(found) => <MusicCard key={found.version} site={site} plan={found.document} />}</Loaded>
      <SoundFiles site={site} />
    </Stack>
  );
}

function MusicCard({ site, plan }: { site: Site; plan: Plan }) {
  const draft = usePart<SiteMusic>({
    siteId: site.id,
    part: SITE_MUSIC,
    initial: { music: plan.music ?? null },
    isNew: false,
    onSaved: async () => {
      await refresh(["sounds", site.tenant_id]);
      tellDone("The site’s music was saved and is being published");
    },
  });
  return (
    <Card title="Music of the site">
      <form
        aria-label="Music of the site"
        onSubmit={draft.submit}
      >
        <Stack gap="sm">
          <Text size="sm" c="dimmed">
            Heard by whoever is held, parked or waits in a queue, unless the queue, park, user or group has music of its own.
          </Text>
          <MusicInput
            tenantId={site.tenant_id}
            otherwise="the piece that comes with the edge"
            value={draft.values.music}
            error={draft.problemAt("music") ?? (draft.problems.join(" ") || undefined)}
            onChange={(music) => draft.set({ music })}
          />
          {draft.conflict ? (
            <Alert color="yellow" title="Somebody else changed it meanwhile">
              <Button size="compact-sm" variant="default" onClick={() => void draft.takeOver()}>
                Show what stands there now
              </Button>
            </Alert>
          ) : null}
          <Group>
            <Button type="submit" loading={draft.saving} disabled={!draft.isTouched}>
              Save music
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}

function SoundFiles({ site }: { site: Site }) {
  const tenantId = site.tenant_id;
  const sounds = useSounds(tenantId);
  const [busy, setBusy] = useState(false);
  const [played, setPlayed] = useState<Sound | null>(null);
  const [deleted, setDeleted] = useState<Sound | null>(null);
  const take = async (files: File[]) => {
    setBusy(true);
    try {
      for (const file of files) {
        const kept = await keepSound(file, tenantId);
        tellDone(`${kept.name} was uploaded`);
      }
    } catch (error) {
      tellProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card title="Sound files">
      <Stack gap="sm">
        <Group justify="space-between">
          <Text size="sm" c="dimmed" flex={1} miw={200}>
            Of all sites of the customer: music, greetings and announcements.
          </Text>
          <FileButton multiple onChange={(files) => void take(files)} accept="audio/*" inputProps={{ "aria-label": "Sound files" }}>
            {(props) => (
              <Button {...props} loading={busy}>
                Upload sound files
              </Button>
            )}
          </FileButton>
        </Group>
        <Loaded query={sounds}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="There are no sound files yet">WAV and MP3 of ten minutes at most; they are made fit for the telephone.</Empty>
            ) : (
              <DataTable
                label="Sound files"
                rows={items}
                rowKey={(one) => one.digest}
                columns={[
                  {
                    title: "Name",
                    cell: (one) => (
                      <Text size="sm" fw={550} className="wrap-anywhere">
                        {soundName(one)}
                      </Text>
                    ),
                  },
                  { title: "Length", cell: (one) => (one.seconds === null ? "" : lengthText(one.seconds)), width: 90 },
                  { title: "Size", cell: (one) => sizeText(one.size_bytes), width: 100 },
                  { title: "Used by", cell: (one) => usesText(one) },
                  {
                    title: "",
                    align: "right",
                    cell: (one) => (one.id === null ? null : <Actions sound={one} onPlay={() => setPlayed(one)} onDelete={() => setDeleted(one)} />),
                  },
                ]}
              />
            )
          }
        </Loaded>
      </Stack>
      {played?.id ? (
        <Modal opened onClose={() => setPlayed(null)} title={soundName(played)}>
          <SoundPlayer soundId={played.id} name={soundName(played)} />
        </Modal>
      ) : null}
      {deleted?.id ? (
        <Confirm
          title={`Delete ${soundName(deleted)}?`}
          action="Delete sound file"
          run={async () => {
            await bodyOf(api.DELETE("/sounds/{sound_id}", { params: { path: { sound_id: deleted.id ?? "" } } }));
            await refresh(["sounds", tenantId]);
            tellDone(`${soundName(deleted)} was deleted`);
          }}
          onClose={() => setDeleted(null)}
        >
          A file that somebody uses is not deleted.
        </Confirm>
      ) : null}
    </Card>
  );
}

function Actions({ sound, onPlay, onDelete }: { sound: Sound; onPlay: () => void; onDelete: () => void }) {
  const name = soundName(sound);
  return (
    <Group gap={2} wrap="nowrap" justify="flex-end">
      <Tooltip label="Play">
        <ActionIcon variant="subtle" color="gray" onClick={onPlay} aria-label={`Play ${name}`}>
          <PlayIcon size={16} />
        </ActionIcon>
      </Tooltip>
      <RowActions name={name} onDelete={onDelete} />
    </Group>
  );
}
