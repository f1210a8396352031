/** A draft of something's fields beside what the draft began from: what changed, and how it meets others' changes. */

export type Values = Record<string, unknown>;

export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

/** The fields that differ from where the draft began. */
export function changesOf<V extends object>(base: V, draft: V): Partial<V> {
  const changed = (Object.keys(draft) as (keyof V)[]).filter((name) => !isSame(base[name], draft[name]));
  return Object.fromEntries(changed.map((name) => [name, draft[name]])) as Partial<V>;
}

export interface Merged<V> {
  draft: V;
  /** What both sides changed to different values, by field or `field.key`: ours stays in the draft, this is theirs. */
  theirs: Record<string, unknown>;
}

/**
 * Put a draft upon what somebody else saved meanwhile: what we did not touch is theirs, what we typed stays. Fields
 * that hold keys and values, such as device settings, are put together key by key.
 */
export function mergeDraft<V extends object>(base: V, draft: V, saved: V): Merged<V> {
  const theirs: Record<string, unknown> = {};
  const merged: Values = { ...(saved as Values) };
  for (const [name, [before, ours, others]] of triples(base, draft, saved)) {
    if (isSame(before, ours)) continue;
    if (isRecord(before) && isRecord(ours) && isRecord(others)) {
      const inner = mergeDraft<Values>(before, ours, others);
      const gone = Object.keys(before).filter((key) => !(key in ours));
      merged[name] = Object.fromEntries(Object.entries(inner.draft).filter(([key]) => !gone.includes(key)));
      for (const [key, value] of Object.entries(inner.theirs)) theirs[`${name}.${key}`] = value;
      continue;
    }
    merged[name] = ours;
    if (!isSame(before, others) && !isSame(ours, others)) theirs[name] = others;
  }
  return { draft: merged as V, theirs };
}

function triples(base: object, draft: object, saved: object): [string, [unknown, unknown, unknown]][] {
  const [before, ours, others] = [base as Values, draft as Values, saved as Values];
  const names = new Set([...Object.keys(before), ...Object.keys(ours), ...Object.keys(others)]);
  return [...names].map((name) => [name, [before[name], ours[name], others[name]]]);
}

function isRecord(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
