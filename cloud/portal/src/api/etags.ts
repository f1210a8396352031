/** Conditional requests: what was read last by its ETag, so that polling costs a 304 while nothing changes. */
import type { Answer } from "./client";
import { problemOf } from "./problem";

/** What a read passes on to the API. */
export interface ReadInit {
  headers: Record<string, string>;
  signal?: AbortSignal;
}

export type Read<T> = (init: ReadInit) => Promise<Answer<T>>;

interface Kept {
  etag: string;
  body: unknown;
}

export class EtagCache {
  readonly #kept = new Map<string, Kept>();

  /** How many answers are kept at most; the oldest go first. */
  constructor(private readonly limit = 200) {}

  /** The newest body of `key`: the very same object as before when the API says that nothing changed. */
  async read<T>(key: string, read: Read<T>, signal?: AbortSignal): Promise<T> {
    const kept = this.#kept.get(key);
    const headers: Record<string, string> = kept ? { "If-None-Match": kept.etag } : {};
    const { data, error, response } = await read(signal ? { headers, signal } : { headers });
    if (response.status === 304 && kept) return kept.body as T;
    if (!response.ok) throw problemOf(response.status, error);
    const etag = response.headers.get("ETag");
    this.#kept.delete(key);
    if (etag !== null) this.#keep(key, { etag, body: data });
    return data as T;
  }

  /** Forget everything, as when somebody else logs in. */
  clear(): void {
    this.#kept.clear();
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.set(key, kept);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > this.limit && !oldest.done) this.#kept.delete(oldest.value);
  }
}
