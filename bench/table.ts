import type { Row } from "./row";

const COLUMNS = ["area", "what", "measured", "figure", "target", "verdict"] as const;
const TITLES: Row | Record<(typeof COLUMNS)[number], string> = {
  area: "",
  what: "what",
  measured: "measured",
  figure: "figure [min-max]",
  target: "target",
  verdict: "",
};

/** Formats the rows as an aligned table; an area is named only in its first row. */
export function tableOf(rows: readonly Row[]): string {
  const shown = rows.map((row, index) => (rows[index - 1]?.area === row.area ? { ...row, area: "" } : row));
  const all = [TITLES, ...shown];
  const widths = COLUMNS.map((column) => Math.max(...all.map((row) => row[column].length)));
  const lines = all.map((row) =>
    COLUMNS.map((column, index) => row[column].padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const [title = "", ...body] = lines;
  return [title, "-".repeat(Math.max(...lines.map(({ length }) => length))), ...body].join("\n");
}
