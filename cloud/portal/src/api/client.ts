/** The one door to the REST API: same origin, typed by its OpenAPI document, logged in by the session. */
import createClient from "openapi-fetch";

import { authorized } from "../session/session";
import { problemOf, unreachable } from "./problem";
import type { paths } from "./schema";

/**
 * Pages and the API share their addresses and are told apart by Accept; keeping responses out of the browser's
 * cache keeps a reload from ever finding JSON where a page should be. ETags are handled in `live.ts`.
 */
async function sendRequest(request: Request): Promise<Response> {
  try {
    return await authorized(request, (signed) => fetch(signed, { cache: "no-store" }));
  } catch (error) {
    if (error instanceof TypeError) throw unreachable();
    throw error;
  }
}

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  headers: { Accept: "application/json" },
  fetch: sendRequest,
});

/** What a call of `api` resolves to. */
export interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a successful answer; anything else is thrown as a `ProblemError`. */
export async function bodyOf<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw problemOf(response.status, error);
  return data as T;
}

/** The header that makes a change valid only for the version that was read. */
export function ifMatch(version: number): Record<string, string> {
  return { "If-Match": `"${version}"` };
}
