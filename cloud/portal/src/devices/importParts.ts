/** A checked list of devices, made in parts, so that thousands show how far they are and no request takes long. */
import type { ListedDevice } from "../api/types";
import type { ListProblem } from "./listProblems";

export const PART = 100;
const ANNOUNCED = "announced/any";

/** The rows in parts of at most `PART`, each as a list of its own. */
export function partsOf(rows: readonly ListedDevice[]): { rows: ListedDevice[]; csv: string }[] {
  const parts: ListedDevice[][] = [];
  for (let at = 0; at < rows.length; at += PART) parts.push(rows.slice(at, at + PART));
  return parts.map((part) => ({ rows: part, csv: csvOf(part) }));
}

/** Problems of a part by the lines of the whole list: line 2 of a part is its first row. */
export function inWholeList(problems: readonly ListProblem[], rows: readonly ListedDevice[]): ListProblem[] {
  return problems.map((one) => ({ ...one, line: rows[one.line - 2]?.line ?? one.line }));
}

function csvOf(rows: readonly ListedDevice[]): string {
  const lines = rows.map((row) =>
    [row.mac, row.model === ANNOUNCED ? "" : row.model, row.name, row.users.join(" "), row.serial, row.location]
      .map(cellOf)
      .join(","),
  );
  return ["mac,model,name,users,serial,location", ...lines, ""].join("\r\n");
}

/** RFC 4180: quoted where it holds what parts cells. */
function cellOf(text: string): string {
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
