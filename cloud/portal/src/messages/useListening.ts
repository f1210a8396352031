/** The address of a sound, which a cookie that scripts cannot read lets the browser's player ask for in parts. */
import { useEffect, useRef, useState } from "react";

import type { Listening } from "../api/types";

/** Ask again this long before the cookie ends. */
const EARLY_SECONDS = 60;
const RETRY_SECONDS = 10;

export interface Heard {
  /** Null: not known yet. */
  listening: Listening | null;
  /** Why it cannot be listened to; empty: it can. */
  problem: string;
  /** Ask for a new cookie now; the address stays. */
  renew: () => Promise<void>;
}

/** Keeps the cookie of the sound `id` as long as this is shown; `begin` asks for one. */
export function useListening(id: string, begin: () => Promise<Listening>): Heard {
  const [listening, setListening] = useState<Listening | null>(null);
  const [problem, setProblem] = useState("");
  const latest = useRef(begin);
  latest.current = begin;

  useEffect(() => {
    let timer = 0;
    let gone = false;
    let known = false;
    const ask = async () => {
      let again = RETRY_SECONDS;
      try {
        const got = await latest.current();
        if (gone) return;
        known = true;
        setListening((before) => before ?? got);
        again = Math.max(RETRY_SECONDS, got.expires_in - EARLY_SECONDS);
      } catch (error) {
        if (gone) return;
        if (!known) {
          setProblem(error instanceof Error ? error.message : String(error));
          return;
        }
      }
      timer = window.setTimeout(() => void ask(), again * 1000);
    };
    setListening(null);
    setProblem("");
    void ask();
    return () => {
      gone = true;
      window.clearTimeout(timer);
    };
  }, [id]);

  const renew = async () => {
    await latest.current();
  };
  return { listening, problem, renew };
}
