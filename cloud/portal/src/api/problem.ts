/** What the API refuses, as application/problem+json (RFC 9457), and where a form shows it. */
import type { Problem } from "./types";

/** A request that the API refused, or that did not reach it (status 0). */
export class ProblemError extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly fields: ReadonlyMap<string, string>,
    /** What a program decides by, such as `edge-offline`; empty: nothing of the API's. */
    readonly kind: string = "",
  ) {
    super(detail || title);
    this.name = "ProblemError";
  }

  /** Somebody else changed it since it was read. */
  get isChanged(): boolean {
    return this.status === 412;
  }
}

/** The error that a response stands for; a body that is no problem document still gives a readable one. */
export function problemOf(status: number, body: unknown): ProblemError {
  const problem: Partial<Problem> = typeof body === "object" && body !== null ? body : {};
  const fields = new Map<string, string>();
  for (const { field, message } of problem.problems ?? []) {
    const earlier = fields.get(field);
    fields.set(field, earlier ? `${earlier}. ${message}` : message);
  }
  return new ProblemError(status, problem.title ?? `The server answered ${status}`, problem.detail ?? "", fields, problem.type?.split(":").at(-1));
}

/** The error for a request that got no answer. */
export function unreachable(): ProblemError {
  return new ProblemError(0, "The server cannot be reached", "Check the connection; nothing was lost.", new Map());
}

/** What to show at `field`: its own problem, or those of its parts (`aliases.2` belongs to `aliases`). */
export function problemAt(fields: ReadonlyMap<string, string>, field: string): string | undefined {
  const found: string[] = [];
  for (const [name, message] of fields) {
    if (name === field || name.startsWith(`${field}.`)) found.push(message);
  }
  return found.length > 0 ? [...new Set(found)].join(". ") : undefined;
}

/** What a form with these fields cannot show at any of them, as lines of text. */
export function problemsElsewhere(error: ProblemError, shown: readonly string[]): string[] {
  const claimed = (name: string) => shown.some((field) => name === field || name.startsWith(`${field}.`));
  const others = [...error.fields].filter(([name]) => !claimed(name));
  const lines = others.map(([name, message]) => (name ? `${name}: ${message}` : message));
  if (error.fields.size === 0) lines.unshift(error.detail || error.title);
  return lines;
}
