/** The form of one part of a dial plan, which is saved by itself. */
import { useRef } from "react";

import { ProblemError } from "../api/problem";
import { useDraft, type Draft } from "../forms/useDraft";
import type { PlanPart } from "./planPart";
import { readPlan, savePart } from "./savePart";

interface Options<V> {
  siteId: string;
  part: PlanPart<V>;
  initial: V;
  isNew: boolean;
  /** What else is wrong with what was typed, by field; empty: nothing that is seen from here. */
  check?: (values: V) => ReadonlyMap<string, string>;
  /** The part was saved. */
  onSaved: (values: V) => Promise<void> | void;
}

export function usePart<V extends object>({ siteId, part, initial, isNew, check, onSaved }: Options<V>): Draft<V> {
  const base = useRef<V | undefined>(isNew ? undefined : initial);
  return useDraft<V>({
    initial,
    save: async (values) => {
      const wrong = check?.(values) ?? new Map<string, string>();
      if (wrong.size > 0) throw new ProblemError(422, "Some fields cannot be accepted", "", wrong);
      await savePart(siteId, part, base.current, values);
      base.current = values;
      await onSaved(values);
    },
    reload: async () => {
      const found = part.find((await readPlan(siteId)).document);
      if (found === undefined && !isNew) {
        base.current = undefined; // deleted meanwhile: saving makes it anew
        return { values: initial, version: 0 };
      }
      base.current = found;
      return { values: found ?? initial, version: 0 };
    },
  });
}
