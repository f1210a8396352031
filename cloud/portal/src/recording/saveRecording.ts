/** Saving what a site decides about recordings; what the API refuses of a rule stands at the rule's own fields. */
import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import { ProblemError } from "../api/problem";
import type { RecordingRules, Site } from "../api/types";

type Changes = Partial<RecordingRules>;

/** Save some of it; `under` is where its fields' problems are named, such as `recording.rules.2`. */
export async function saveRecording(siteId: string, version: number, recording: Changes, under = "recording"): Promise<void> {
  try {
    const params = { path: { site_id: siteId }, header: ifMatch(version) };
    await bodyOf(api.PATCH("/sites/{site_id}", { params, body: { recording } }));
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const own = (name: string) => (name.startsWith(`${under}.`) ? name.slice(under.length + 1) : name);
    const fields = new Map([...error.fields].map(([name, text]) => [own(name), text]));
    throw new ProblemError(error.status, error.title, error.detail, fields, error.kind);
  }
  await refresh(["sites"]);
}

export async function readSite(siteId: string): Promise<Site> {
  return bodyOf(api.GET("/sites/{site_id}", { params: { path: { site_id: siteId } } }));
}
