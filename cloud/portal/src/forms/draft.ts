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
  /** Fields that both sides changed to different values: ours stays in the draft, this is theirs. */
  theirs: Partial<V>;
}

/** Put a draft upon what somebody else saved meanwhile: what we did not touch is theirs, what we typed stays. */
export function mergeDraft<V extends object>(base: V, draft: V, saved: V): Merged<V> {
  const ours = changesOf(base, draft);
  const theirs: Partial<V> = {};
  for (const name of Object.keys(ours) as (keyof V)[]) {
    if (!isSame(base[name], saved[name]) && !isSame(draft[name], saved[name])) theirs[name] = saved[name];
  }
  return { draft: { ...saved, ...ours }, theirs };
}
