import { type Spread, spread } from "./statistics";

type Verdict = "ok" | "miss";

/** One line of the table. */
export interface Row {
  area: string;
  what: string;
  /** The measured values, with their units. */
  measured: string;
  /** The ratio or difference that the target limits, with its range. */
  figure: string;
  target: string;
  /** With a question mark if the run was too noisy: the quartiles lie on both sides of the limit. */
  verdict: Verdict | `${Verdict}?` | "";
}

/** A limit for a figure. */
export interface Target {
  limit: number;
  /** Whether the limit is a maximum or a minimum. */
  is: "at most" | "at least";
}

/** The format of a figure: its decimals and suffix. */
export interface Unit {
  decimals: number;
  suffix: string;
}

export const RATIO: Unit = { decimals: 2, suffix: "x" };
export const MICROSECONDS: Unit = { decimals: 0, suffix: " us" };
export const MILLISECONDS: Unit = { decimals: 2, suffix: " ms" };

/** A row for a figure that was measured several times. */
export function rowOf(
  about: Pick<Row, "area" | "what" | "measured">,
  values: readonly number[],
  unit: Unit,
  target?: Target,
): Row {
  const found = spread(values);
  return { ...about, figure: spreadText(found, unit), ...judged(found, unit, target) };
}

/** A row for a figure that was measured once. */
export function singleRow(
  about: Pick<Row, "area" | "what" | "measured">,
  value: number,
  unit: Unit,
  target?: Target,
): Row {
  return {
    ...about,
    figure: amount(value, unit),
    ...judged({ median: value, lower: value, upper: value }, unit, target),
  };
}

/** E.g. "0.41 ms". */
export function amount(value: number, { decimals, suffix }: Unit): string {
  return `${value.toFixed(decimals)}${suffix}`;
}

function spreadText({ median, min, max }: Spread, unit: Unit): string {
  return `${amount(median, unit)} [${min.toFixed(unit.decimals)}-${max.toFixed(unit.decimals)}]`;
}

function judged(
  { median, lower, upper }: Pick<Spread, "median" | "lower" | "upper">,
  unit: Unit,
  target?: Target,
): Pick<Row, "target" | "verdict"> {
  if (!target) return { target: "", verdict: "" };
  const { limit, is } = target;
  const keeps = (value: number) => (is === "at most" ? value <= limit : value >= limit);
  const verdict = keeps(median) ? "ok" : "miss";
  const noisy = keeps(lower) !== keeps(upper);
  const text = `${is === "at most" ? "<=" : ">="} ${amount(limit, unit)}`;
  return { target: text, verdict: noisy ? `${verdict}?` : verdict };
}

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
