/** What the API says is wrong with a list of devices, by its line and column. */

export interface ListProblem {
  /** 0: the whole list. */
  line: number;
  column: string;
  message: string;
}

/** From fields such as `line 3.mac`, in the order of the lines. */
export function problemsOf(fields: ReadonlyMap<string, string>): ListProblem[] {
  const found = [...fields].map(([field, message]) => {
    const at = /^line (\d+)(?:\.(.*))?$/.exec(field);
    return at ? { line: Number(at[1]), column: at[2] ?? "", message } : { line: 0, column: field, message };
  });
  return found.sort((one, other) => one.line - other.line);
}
