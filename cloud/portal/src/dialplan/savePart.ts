/** Saving one part of a dial plan by itself: what others changed elsewhere in it meanwhile stays theirs. */
import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import { ProblemError } from "../api/problem";
import type { DialPlan, Plan, PlanInput } from "../api/types";
import { isSame } from "../forms/draft";
import { atItsFields, takenAtItsField, type PlanPart } from "./planPart";

export async function readPlan(siteId: string): Promise<DialPlan> {
  return bodyOf(api.GET("/sites/{site_id}/dial-plan", { params: { path: { site_id: siteId } } }));
}

/**
 * Put a part in the place of `base`, and publish. Undefined as `value` takes it away, as `base` means that it is new.
 *
 * Throws a `ProblemError`: 412 when the part is another than `base` by now, else what the API says of it, by the
 * part's own fields.
 */
export async function savePart<V>(siteId: string, part: PlanPart<V>, base: V | undefined, value: V | undefined): Promise<void> {
  const saved = await readPlan(siteId);
  if (!isSame(part.find(saved.document), base)) throw new ProblemError(412, "Changed by someone else meanwhile", "", new Map());
  const document = part.put(saved.document, value);
  try {
    await savePlan(siteId, document, saved.version);
  } catch (error) {
    throw error instanceof ProblemError ? takenAtItsField(atItsFields(error, part.at(document)), value) : error;
  }
}

export async function savePlan(siteId: string, document: Plan, version: number): Promise<DialPlan> {
  const params = { path: { site_id: siteId }, header: ifMatch(version) };
  const saved = await bodyOf(api.PUT("/sites/{site_id}/dial-plan", { params, body: { document: document as PlanInput } }));
  await refresh(["dial-plan", siteId], ["trunks", siteId]);
  return saved;
}
