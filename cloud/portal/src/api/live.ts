/** Reading that stays up to date: polling with ETags every two seconds, paused while the tab is hidden. */
import {
  QueryClient,
  keepPreviousData,
  useInfiniteQuery,
  useQuery,
  type UseQueryResult,
} from "@tanstack/react-query";

import { EtagCache, type Read, type ReadInit } from "./etags";
import { ProblemError } from "./problem";
import type { Answer } from "./client";

export const POLL_MILLISECONDS = 2000;
/** After the API was out of reach; it is asked less often then. */
const RETRY_MILLISECONDS = 5000;
const MAX_PAGES = 50;

export const etags = new EtagCache();

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => !(error instanceof ProblemError && error.status >= 400) && failures < 2,
      staleTime: POLL_MILLISECONDS,
      refetchOnWindowFocus: "always",
    },
    mutations: { retry: false },
  },
});

type Key = readonly (string | number | undefined)[];

interface LiveOptions {
  /** false: read once, and again only when something is known to have changed. */
  poll?: boolean;
  /** How often it is read, in milliseconds, where that is not as usual: what an edge is asked for. */
  every?: number;
  enabled?: boolean;
}

function interval({ poll, every }: LiveOptions, status: string): number | false {
  if (poll === false) return false;
  const usual = every ?? POLL_MILLISECONDS;
  return status === "error" ? Math.max(usual, RETRY_MILLISECONDS) : usual;
}

/** One thing, live. */
export function useLive<T>(key: Key, read: Read<T>, options: LiveOptions = {}): UseQueryResult<T, Error> {
  return useQuery({
    queryKey: key,
    queryFn: ({ signal }) => etags.read(JSON.stringify(key), read, signal),
    refetchInterval: (query) => interval(options, query.state.status),
    enabled: options.enabled ?? true,
  });
}

interface PageOf<T> {
  items: T[];
  next?: string | null;
}

type ReadPage<T> = (init: ReadInit, cursor: string | undefined) => Promise<Answer<PageOf<T>>>;

/** A whole collection, live: every page, each with an ETag of its own. */
export function useLiveAll<T>(key: Key, read: ReadPage<T>, options: LiveOptions = {}): UseQueryResult<T[], Error> {
  return useQuery({
    queryKey: key,
    queryFn: ({ signal }) => readAll(key, read, signal),
    refetchInterval: (query) => interval(options, query.state.status),
    enabled: options.enabled ?? true,
    placeholderData: keepPreviousData,
  });
}

async function readAll<T>(key: Key, read: ReadPage<T>, signal: AbortSignal): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const at = cursor;
    const found = await etags.read(JSON.stringify([...key, at]), (init) => read(init, at), signal);
    items.push(...found.items);
    if (!found.next) break;
    cursor = found.next;
  }
  return items;
}

/** A long collection, the latest first: one page at first, more when asked for; live. */
export function useLivePages<T>(key: Key, read: ReadPage<T>, options: LiveOptions = {}) {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ signal, pageParam }) =>
      etags.read(JSON.stringify([...key, pageParam]), (init) => read(init, pageParam), signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: (state) => interval(options, state.state.status),
    placeholderData: keepPreviousData,
  });
  return { ...query, items: query.data?.pages.flatMap((page) => page.items) };
}

/** Read again at once whatever begins with this key: something about it was changed here. */
export async function refresh(...keys: Key[]): Promise<void> {
  await Promise.all(keys.map((queryKey) => queries.invalidateQueries({ queryKey })));
}
