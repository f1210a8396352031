/** Which sites the list shows. */
import type { Site } from "../api/types";
import { edgeSummary } from "./siteState";

export type SiteChoice = "all" | "online" | "offline" | "waiting";

function choiceOf(site: Site): Exclude<SiteChoice, "all"> {
  const { tone } = edgeSummary(site.edges);
  if (tone === "good") return "online";
  const partly = tone === "waiting" && site.edges.some((edge) => edge.enrolled);
  return tone === "bad" || partly ? "offline" : "waiting";
}

export function countSites(sites: readonly Site[]): Record<SiteChoice, number> {
  const counts: Record<SiteChoice, number> = { all: sites.length, online: 0, offline: 0, waiting: 0 };
  for (const site of sites) counts[choiceOf(site)] += 1;
  return counts;
}

/** Sites whose name or tenant contains `search`, by tenant and name. */
export function chooseSites(
  sites: readonly Site[],
  tenants: ReadonlyMap<string, string>,
  search: string,
  choice: SiteChoice,
): Site[] {
  const wanted = search.trim().toLocaleLowerCase();
  const tenant = (site: Site) => tenants.get(site.tenant_id) ?? "";
  return sites
    .filter((site) => choice === "all" || choiceOf(site) === choice)
    .filter((site) => `${site.name}\n${tenant(site)}`.toLocaleLowerCase().includes(wanted))
    .sort((one, other) => tenant(one).localeCompare(tenant(other)) || one.name.localeCompare(other.name));
}
