/**
 * Who is logged in. The access token lives in memory only; the refresh token in sessionStorage, so that a reload
 * carries on and closing the tab ends it. Each refresh token is good for one use: two refreshes never run at once.
 */
import { useSyncExternalStore } from "react";

import { ProblemError, problemOf, unreachable } from "../api/problem";
import type { Account, SessionTokens } from "../api/types";

const REFRESH_KEY = "tandem.refresh_token";
const EMAIL_KEY = "tandem.email";
/** Refresh this long before the access token ends. */
const EARLY_MILLISECONDS = 20_000;
const RETRY_MILLISECONDS = 2000;

export type SessionState =
  | { phase: "starting" }
  | { phase: "logged-out"; ended: boolean }
  | { phase: "logged-in"; account: Account };

let state: SessionState = { phase: "starting" };
let accessToken: string | null = null;
let accessEnds = 0;
let refreshing: Promise<boolean> | null = null;
const listeners = new Set<() => void>();
const endings = new Set<() => void>();

function become(next: SessionState): void {
  state = next;
  for (const listener of listeners) listener();
}

/** The session's state; the component renders again when it changes. */
export function useSession(): SessionState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

/** Call `forget` whenever a session ends, so that nothing of it is left for the next one. */
export function onSessionEnd(forget: () => void): void {
  endings.add(forget);
}

export function rememberedEmail(): string {
  return localStorage.getItem(EMAIL_KEY) ?? "";
}

/** Carry on the log-in of this tab, if there is one. */
export async function startSession(): Promise<void> {
  if (sessionStorage.getItem(REFRESH_KEY) === null) become({ phase: "logged-out", ended: false });
  else await refreshSession();
}

/** Log in; throws a `ProblemError` when that is refused. */
export async function logIn(email: string, password: string): Promise<void> {
  const tokens = await post("/sessions", { email, password });
  localStorage.setItem(EMAIL_KEY, email);
  keep(tokens);
}

/** Log out here and, when the API can be reached, there. */
export async function logOut(): Promise<void> {
  const token = accessToken;
  end(false);
  if (token === null) return;
  try {
    await fetch("/sessions/current", { method: "DELETE", headers: { ...JSON_ONLY, Authorization: `Bearer ${token}` } });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // out of reach: the token ends by itself
  }
}

/** Send a request as whoever is logged in; once more with a new access token when the API does not take this one. */
export async function authorized(request: Request, send: (signed: Request) => Promise<Response>): Promise<Response> {
  if (accessToken !== null && Date.now() > accessEnds - EARLY_MILLISECONDS) await refreshSession();
  const again = request.clone();
  const response = await send(signed(request));
  if (response.status !== 401 || accessToken === null) return response;
  return (await refreshSession()) ? send(signed(again)) : response;
}

const JSON_ONLY = { Accept: "application/json" };

function signed(request: Request): Request {
  if (accessToken !== null) request.headers.set("Authorization", `Bearer ${accessToken}`);
  return request;
}

function refreshSession(): Promise<boolean> {
  refreshing ??= refreshOnce().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function refreshOnce(): Promise<boolean> {
  const refresh_token = sessionStorage.getItem(REFRESH_KEY);
  if (refresh_token === null) {
    end(true);
    return false;
  }
  try {
    keep(await post("/sessions/refresh", { refresh_token }));
    return true;
  } catch (error) {
    const refused = error instanceof ProblemError && error.status >= 400 && error.status < 500;
    if (refused) end(true);
    else if (state.phase === "starting") setTimeout(() => void refreshSession(), RETRY_MILLISECONDS);
    return false; // out of reach: still logged in, and asked again with the next request
  }
}

async function post(path: string, body: Record<string, string>): Promise<SessionTokens> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: "POST",
      cache: "no-store",
      headers: { ...JSON_ONLY, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw unreachable();
  }
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw problemOf(response.status, answer);
  return answer as SessionTokens;
}

function keep(tokens: SessionTokens): void {
  accessToken = tokens.access_token;
  accessEnds = Date.now() + tokens.expires_in * 1000;
  sessionStorage.setItem(REFRESH_KEY, tokens.refresh_token);
  if (state.phase !== "logged-in" || state.account.version !== tokens.account.version) {
    become({ phase: "logged-in", account: tokens.account });
  }
}

function end(ended: boolean): void {
  accessToken = null;
  sessionStorage.removeItem(REFRESH_KEY);
  for (const forget of endings) forget();
  become({ phase: "logged-out", ended });
}
