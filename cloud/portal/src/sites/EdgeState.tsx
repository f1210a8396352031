/** A site's edge and version states, as they stand in tables and headings. */
import { List, Text } from "@mantine/core";

import type { Site } from "../api/types";
import { State } from "../shell/State";
import { Ago } from "../shell/When";
import { appliedText, edgeSummary, versionSummary } from "./siteState";

export function EdgeState({ site }: { site: Site }) {
  const { tone, label, since } = edgeSummary(site.edges);
  return <State tone={tone} label={label} detail={since ? <>last seen <Ago at={since} /></> : undefined} />;
}

export function VersionState({ site }: { site: Site }) {
  const { tone, label, problems } = versionSummary(site);
  const first = problems[0];
  const detail = first ? (
    <Text size="xs" c="red" component="span" className="wrap-anywhere">
      {first}
      {problems.length > 1 ? ` (and ${problems.length - 1} more)` : ""}
    </Text>
  ) : undefined;
  return <State tone={tone} label={label} detail={detail} />;
}

/** `wanted 7 · applied 6`, without the numbers that do not exist. */
export function Versions({ site }: { site: Site }) {
  if (site.wanted_version === null) return <Text c="dimmed">—</Text>;
  return (
    <span style={{ whiteSpace: "nowrap" }}>
      {site.wanted_version} <Text component="span" c="dimmed" size="sm"> / {appliedText(site.edges) ?? "–"}</Text>
    </span>
  );
}

export function ProblemList({ problems }: { problems: readonly string[] }) {
  return (
    <List size="sm">
      {problems.map((problem) => (
        <List.Item key={problem} className="wrap-anywhere">
          {problem}
        </List.Item>
      ))}
    </List>
  );
}
