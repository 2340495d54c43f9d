/** The matrix as a table for a terminal and for docs/hypercall-buffers.md. */
import { type Cell, COLUMNS, type Matrix } from "./matrix.ts";
import { STRATEGY_LIST } from "./strategies.ts";

const cellOf = (matrix: Matrix, strategy: string, column: string): Cell | undefined =>
  matrix.cells.find((cell) => cell.strategy === strategy && cell.column === column);

/** Strategies of the matrix, in the order of the list. */
const rowsOf = (matrix: Matrix) => STRATEGY_LIST.filter((s) => matrix.cells.some((cell) => cell.strategy === s.name));
const columnsOf = (matrix: Matrix) => COLUMNS.filter((c) => matrix.cells.some((cell) => cell.column === c.name));

export function matrixMarkdown(matrix: Matrix): string {
  const columns = columnsOf(matrix);
  const word = (cell: Cell | undefined): string => (!cell ? "" : cell.holds ? `holds (${cell.states})` : "**broken**");
  const table = [
    `| strategy | ${columns.map((c) => c.name).join(" | ")} |`,
    `|---|${columns.map(() => "---").join("|")}|`,
    ...rowsOf(matrix).map(
      (s) => `| \`${s.name}\` | ${columns.map((c) => word(cellOf(matrix, s.name, c.name))).join(" | ")} |`,
    ),
  ];
  return `${table.join("\n")}\n\n${legend(matrix)}`;
}

function legend(matrix: Matrix): string {
  const columns = columnsOf(matrix).map((c) => `- ${c.name}: ${c.text}.`);
  const rows = rowsOf(matrix).map((s) => `- \`${s.name}\`: ${s.text}.`);
  return `${columns.join("\n")}\n\n${rows.join("\n")}\n`;
}

export function matrixText(matrix: Matrix): string {
  const columns = columnsOf(matrix);
  const width = Math.max(...rowsOf(matrix).map((s) => s.name.length)) + 2;
  const widths = columns.map((c) => Math.max(c.name.length, 7) + 2);
  const line = (first: string, cells: readonly string[]): string =>
    (first.padEnd(width) + cells.map((cell, i) => cell.padEnd(widths[i]!)).join("")).trimEnd();
  const table = [
    line(
      "",
      columns.map((c) => c.name),
    ),
    ...rowsOf(matrix).map((s) =>
      line(
        s.name,
        columns.map((c) => {
          const cell = cellOf(matrix, s.name, c.name);
          return !cell ? "" : cell.holds ? "holds" : "broken";
        }),
      ),
    ),
  ];
  const broken = matrix.cells.filter((cell) => !cell.holds).map((c) => `${c.strategy}, ${c.column}: ${c.message}`);
  return `${table.join("\n")}\n\nWhat broke, in the first schedule found:\n${broken.map((b) => `  ${b}\n`).join("")}\n${legend(matrix)}`;
}
