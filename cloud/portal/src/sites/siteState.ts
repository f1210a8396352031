/** What a site's edges and versions amount to, in words. */
import type { Site, SiteEdge } from "../api/types";
import type { Tone } from "../shell/State";

export interface EdgeSummary {
  tone: Tone;
  label: string;
  /** When its last edge was heard; null when none ever was, or it is here now. */
  since: string | null;
}

export function edgeSummary(edges: readonly SiteEdge[]): EdgeSummary {
  if (edges.length === 0) return { tone: "idle", label: "No edge", since: null };
  const enrolled = edges.filter((edge) => edge.enrolled);
  if (enrolled.length === 0) return { tone: "waiting", label: "Waiting for enrollment", since: null };
  const online = enrolled.filter((edge) => edge.online);
  if (online.length === enrolled.length) return { tone: "good", label: "Online", since: null };
  if (online.length > 0) {
    return { tone: "waiting", label: `${online.length} of ${enrolled.length} online`, since: null };
  }
  const seen = enrolled.map((edge) => edge.last_seen_at).filter((at) => at !== null);
  return { tone: "bad", label: "Offline", since: seen.sort().at(-1) ?? null };
}

export interface VersionSummary {
  tone: Tone;
  label: string;
  problems: string[];
}

/** Whether what was published runs at the site. */
export function versionSummary(site: Pick<Site, "wanted_version" | "edges">): VersionSummary {
  const wanted = site.wanted_version;
  if (wanted === null) return { tone: "idle", label: "Not published", problems: [] };
  const refusing = site.edges.filter((edge) => edge.rejected_version !== null);
  if (refusing.length > 0) {
    return { tone: "bad", label: "Rejected", problems: refusing.flatMap((edge) => edge.rejected_problems) };
  }
  const enrolled = site.edges.filter((edge) => edge.enrolled);
  if (enrolled.length === 0) return { tone: "idle", label: "Published", problems: [] };
  const behind = enrolled.some((edge) => edge.applied_version !== wanted);
  return behind
    ? { tone: "waiting", label: "Behind", problems: [] }
    : { tone: "good", label: "In sync", problems: [] };
}

/** The applied version, or the range of them where a site's edges differ; null when nothing runs yet. */
export function appliedText(edges: readonly SiteEdge[]): string | null {
  const versions = edges.map((edge) => edge.applied_version).filter((version) => version !== null);
  if (versions.length === 0) return null;
  const [least, most] = [Math.min(...versions), Math.max(...versions)];
  return least === most ? String(least) : `${least}–${most}`;
}
