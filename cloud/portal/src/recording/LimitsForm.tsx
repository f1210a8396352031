/** For how long a site keeps recordings, and how much of them. */
import type { RecordingRules, Site } from "../api/types";
import { Fields, type FieldOf } from "../forms/Fields";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { readSite, saveRecording } from "./saveRecording";

type Limits = Omit<RecordingRules, "rules" | "on_demand">;

const FIELDS: readonly FieldOf<Limits>[] = [
  { kind: "number", name: "kept_days", label: "Kept for", help: "Days after a recording began; then it is deleted", min: 1, max: 3650 },
  { kind: "number", name: "longest_minutes", label: "Longest recording", help: "Minutes; what is said later is not recorded", min: 1, max: 480 },
  { kind: "number", name: "disk_mb", label: "Of the edge’s disk", help: "MB; a minute takes about 1 MB. Beyond it no other begins", min: 10, max: 1000000 },
  {
    kind: "switch",
    name: "upload",
    label: "Recordings may leave the site",
    help: "For listening in the portal: they come to the cloud when the connection allows it, and lie there encrypted, for as many days",
  },
];

function limitsOf({ rules: _rules, on_demand: _demand, ...limits }: RecordingRules): Limits {
  return limits;
}

export function LimitsForm({ site, onClose }: { site: Site; onClose: () => void }) {
  const draft = useDraft<Limits>({
    initial: limitsOf(site.recording),
    version: site.version,
    save: async (_, changes, version) => {
      await saveRecording(site.id, version, changes);
      tellDone("What is kept of recordings was saved and is being published");
      onClose();
    },
    reload: async () => {
      const saved = await readSite(site.id);
      return { values: limitsOf(saved.recording), version: saved.version };
    },
  });
  return (
    <FormDrawer title="Keeping recordings" draft={draft} onClose={onClose}>
      <Fields draft={draft} fields={FIELDS} />
    </FormDrawer>
  );
}
