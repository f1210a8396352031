/** A table that becomes a list of cards at phone width; each cell carries its column's name for that. */
import { ScrollArea, Table } from "@mantine/core";
import type { ReactNode } from "react";

export interface Column<T> {
  /** Empty for the actions' column. */
  title: string;
  cell: (row: T) => ReactNode;
  width?: number | string;
  align?: "left" | "right";
}

interface Props<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string | number;
  /** Shown below a row while it is opened. */
  below?: (row: T) => ReactNode;
}

export function DataTable<T>({ label, columns, rows, rowKey, below }: Props<T>) {
  return (
    <ScrollArea className="card" type="auto" offsetScrollbars="present">
      <Table className="table" aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column, place) => (
              <Table.Th key={column.title || place} w={column.width} ta={column.align} scope="col">
                {column.title || <span aria-label="Actions" />}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Row key={rowKey(row)} row={row} columns={columns} below={below?.(row)} />
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea>
  );
}

function Row<T>({ row, columns, below }: { row: T; columns: readonly Column<T>[]; below: ReactNode }) {
  return (
    <>
      <Table.Tr>
        {columns.map((column, place) => (
          <Table.Td key={column.title || place} ta={column.align} data-label={column.title || undefined}>
            {column.cell(row)}
          </Table.Td>
        ))}
      </Table.Tr>
      {below ? (
        <Table.Tr>
          <Table.Td colSpan={columns.length}>{below}</Table.Td>
        </Table.Tr>
      ) : null}
    </>
  );
}
