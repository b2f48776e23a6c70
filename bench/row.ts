import { type Spread, spread } from "./statistics";

type Verdict = "ok" | "miss";

/** One line of the table. */
export interface Row {
  area: string;
  what: string;
  /** What was measured, in its unit, and what it is compared with. */
  measured: string;
  /** Ratio or difference that the target is about, with its range. */
  figure: string;
  target: string;
  /** With a question mark where the run was too noisy to tell: the quartiles lie on both sides of the limit. */
  verdict: Verdict | `${Verdict}?` | "";
}

/** A limit that a figure keeps or misses. */
export interface Target {
  limit: number;
  /** Whether the limit is the highest or the lowest that is good. */
  is: "at most" | "at least";
}

/** How a figure is written: its decimals and what stands behind it. */
export interface Unit {
  decimals: number;
  suffix: string;
}

export const RATIO: Unit = { decimals: 2, suffix: "x" };
export const MICROSECONDS: Unit = { decimals: 0, suffix: " us" };
export const MILLISECONDS: Unit = { decimals: 2, suffix: " ms" };

/** A row about a figure that was taken several times. */
export function rowOf(
  about: Pick<Row, "area" | "what" | "measured">,
  values: readonly number[],
  unit: Unit,
  target?: Target,
): Row {
  const found = spread(values);
  return { ...about, figure: spreadText(found, unit), ...judged(found, unit, target) };
}

/** A row about one figure. */
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

/** "0.41 ms" */
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
