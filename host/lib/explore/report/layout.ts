/** Text in columns. */

/** Breaks a text into lines of at most `width` characters, at spaces. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const part of text.split(" ")) {
    if (line !== "" && line.length + 1 + part.length > width) {
      lines.push(line);
      line = part;
    } else line = line === "" ? part : `${line} ${part}`;
  }
  return [...lines, line];
}

/** A paragraph with every line indented. */
export const paragraph = (text: string, indent: string, width = 100): string =>
  wrap(text, width - indent.length)
    .map((line) => `${indent}${line}`)
    .join("\n");

/** Cells beside each other, each with its lines; the row is as high as its highest cell. */
export function columns(cells: readonly (readonly string[])[], widths: readonly number[]): string[] {
  const height = Math.max(1, ...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, n) =>
    cells
      .map((lines, i) => (lines[n] ?? "").padEnd(widths[i]!))
      .join("  ")
      .trimEnd(),
  );
}
