/** How users of a site have a call recorded. */
import type { RecordingRules, Site } from "../api/types";
import { Fields, type FieldOf } from "../forms/Fields";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { ANNOUNCEMENTS } from "./recordingText";
import { readSite, saveRecording } from "./saveRecording";

type OnDemand = RecordingRules["on_demand"];

const FIELDS: readonly FieldOf<OnDemand>[] = [
  {
    kind: "text",
    name: "keys",
    label: "Keys during a call by a trunk",
    help: "Two to six of 0 to 9, * and #, such as *1; empty: only the record key of the phone",
    nullable: true,
  },
  { kind: "select", name: "announcement", label: "Who is told that the call is recorded", options: ANNOUNCEMENTS },
];

export function OnDemandForm({ site, onClose }: { site: Site; onClose: () => void }) {
  const draft = useDraft<OnDemand>({
    initial: site.recording.on_demand,
    version: site.version,
    save: async (values, _, version) => {
      await saveRecording(site.id, version, { on_demand: values }, "recording.on_demand");
      tellDone("Recording on demand was saved and is being published");
      onClose();
    },
    reload: async () => {
      const saved = await readSite(site.id);
      return { values: saved.recording.on_demand, version: saved.version };
    },
  });
  return (
    <FormDrawer title="Recording on demand" draft={draft} onClose={onClose}>
      <Fields draft={draft} fields={FIELDS} />
    </FormDrawer>
  );
}
