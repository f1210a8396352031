/** The state of one form: its draft, its problems at their fields, and what to do when someone else was faster. */
import { useState, type FormEvent } from "react";

import { ProblemError, problemAt, problemsElsewhere, unreachable } from "../api/problem";
import { changesOf, isSame, mergeDraft } from "./draft";

export interface Versioned<V> {
  values: V;
  version: number;
}

interface DraftOptions<V> {
  initial: V;
  /** The version that an edit begins from; absent when something new is made. */
  version?: number;
  /** Save all values of something new, or the changed ones of `version`; what is saved now, when editing goes on. */
  save: (values: V, changes: Partial<V>, version: number) => Promise<Versioned<V> | void>;
  /** Read what is saved now; needed for edits. */
  reload?: () => Promise<Versioned<V>>;
}

/** What a Mantine input takes to show one field of a draft. */
export interface Field<T> {
  value: T;
  error: string | undefined;
  onChange: (value: T) => void;
}

/** The same for inputs that report events. */
export interface TextField {
  value: string;
  error: string | undefined;
  onChange: (event: { currentTarget: { value: string } }) => void;
}

export interface Draft<V> {
  values: V;
  saving: boolean;
  isTouched: boolean;
  /** Lines that belong to no field. */
  problems: string[];
  /** Somebody else changed it; `takeOver` reads theirs and keeps what was typed. */
  conflict: boolean;
  takeOver: () => Promise<void>;
  set: (changes: Partial<V>) => void;
  problemAt: (field: string) => string | undefined;
  field: <K extends keyof V & string>(name: K) => Field<V[K]>;
  text: <K extends keyof V & string>(name: K) => TextField;
  submit: (event?: FormEvent) => void;
}

export function useDraft<V extends object>(options: DraftOptions<V>): Draft<V> {
  const [base, setBase] = useState({ values: options.initial, version: options.version ?? 0 });
  const [values, setValues] = useState(options.initial);
  const [theirs, setTheirs] = useState<Record<string, unknown>>({});
  const [problem, setProblem] = useState<ProblemError | null>(null);
  const [saving, setSaving] = useState(false);

  const set = (changes: Partial<V>) => {
    setValues((before) => ({ ...before, ...changes }));
    if (problem && !problem.isChanged) {
      const left = [...problem.fields].filter(([name]) => !Object.keys(changes).some((field) => owns(field, name)));
      setProblem(left.length ? new ProblemError(problem.status, problem.title, problem.detail, new Map(left)) : null);
    }
  };

  const run = async () => {
    setSaving(true);
    setProblem(null);
    try {
      const saved = await options.save(values, changesOf(base.values, values), base.version);
      if (saved) {
        setBase(saved);
        setTheirs({});
      }
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setSaving(false);
    }
  };

  const takeOver = async () => {
    if (!options.reload) return;
    try {
      const saved = await options.reload();
      const merged = mergeDraft(base.values, values, saved.values);
      setBase(saved);
      setValues(merged.draft);
      setTheirs(merged.theirs);
      setProblem(null);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };

  const errorAt = (name: string) => {
    const at = problem ? problemAt(problem.fields, name) : undefined;
    if (at !== undefined || !(name in theirs)) return at;
    return `Meanwhile saved by someone else: ${shown(theirs[name])}`;
  };

  return {
    values,
    saving,
    isTouched: !isSame(base.values, values),
    conflict: problem?.isChanged ?? false,
    problems: problem && !problem.isChanged ? problemsElsewhere(problem, Object.keys(values)) : [],
    takeOver,
    set,
    problemAt: errorAt,
    field: (name) => ({
      value: values[name],
      error: errorAt(name),
      onChange: (value) => set({ [name]: value } as unknown as Partial<V>),
    }),
    text: (name) => ({
      value: (values[name] as string | null) ?? "",
      error: errorAt(name),
      onChange: (event) => set({ [name]: event.currentTarget.value } as unknown as Partial<V>),
    }),
    submit: (event) => {
      event?.preventDefault();
      if (!saving) void run();
    },
  };
}

function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof TypeError) return unreachable();
  throw error;
}

function owns(field: string, name: string): boolean {
  return name === field || name.startsWith(`${field}.`);
}

function shown(value: unknown): string {
  if (value === null || value === undefined || value === "") return "(empty)";
  if (Array.isArray(value)) return value.length ? value.join(", ") : "(none)";
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "string" || typeof value === "number" ? `“${value}”` : JSON.stringify(value);
}
