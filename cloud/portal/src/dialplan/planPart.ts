/** One part of a dial plan: where it stands there, and where what the API says of it belongs. */
import { ProblemError } from "../api/problem";
import type { Plan } from "../api/types";

/** A part of the plan: how it is found there, and the plan with another in its place. */
export interface PlanPart<V> {
  /** undefined: the plan has no such part. */
  find: (plan: Plan) => V | undefined;
  put: (plan: Plan, value: V | undefined) => Plan;
  /** Where the API names the part in what it refuses, such as `trunks.2`; what it says there stands at the form's fields. */
  at: (plan: Plan) => string;
}

/** One thing of a list of the plan, by its id. */
export function listed<K extends keyof Plan, V extends NonNullable<Plan[K]> extends (infer T)[] ? T : never>(
  list: K,
  idOf: (value: V) => string,
  id: string,
): PlanPart<V> {
  const all = (plan: Plan) => (plan[list] ?? []) as V[];
  const place = (plan: Plan) => all(plan).findIndex((one) => idOf(one) === id);
  return {
    find: (plan) => all(plan)[place(plan)],
    put: (plan, value) => {
      const at = place(plan);
      const others = all(plan);
      if (value === undefined) return { ...plan, [list]: others.filter((_, index) => index !== at) };
      return { ...plan, [list]: at < 0 ? [...others, value] : others.map((one, index) => (index === at ? value : one)) };
    },
    at: (plan) => `${list}.${place(plan)}`,
  };
}

/** The same problem with `document.<at>.` taken off the names of its fields. */
export function atItsFields(problem: ProblemError, at: string): ProblemError {
  const prefix = `document.${at}`;
  const fields = new Map<string, string>();
  for (const [name, message] of problem.fields) {
    const own = name === prefix ? "" : name.startsWith(`${prefix}.`) ? name.slice(prefix.length + 1) : name === "document" ? "" : name;
    const earlier = fields.get(own);
    fields.set(own, earlier ? `${earlier}. ${message}` : message);
  }
  return new ProblemError(problem.status, problem.title, problem.detail, fields);
}

/** What a part is dialled by. */
const NAMES = ["extension", "aliases", "orbits"] as const;
const TAKEN = /^dialled: ('([^']+)' is used more than once.*)$/;

/** The same problem with what it says of a number that somebody else has at the field of `value` that has it. */
export function takenAtItsField<V>(problem: ProblemError, value: V): ProblemError {
  const whole = problem.fields.get("");
  if (whole === undefined || typeof value !== "object" || value === null) return problem;
  const names = new Map(Object.entries(value));
  const fields = new Map(problem.fields);
  const left: string[] = [];
  for (const line of whole.split(/\. (?=[a-z_]+: )/)) {
    const [, told, taken] = TAKEN.exec(line) ?? [];
    const field = NAMES.find((one) => [names.get(one)].flat().includes(taken));
    if (told === undefined || field === undefined) {
      left.push(line);
      continue;
    }
    const earlier = fields.get(field);
    fields.set(field, earlier ? `${earlier}. ${told}` : told);
  }
  if (left.length > 0) fields.set("", left.join(". "));
  else fields.delete("");
  return new ProblemError(problem.status, problem.title, problem.detail, fields);
}
