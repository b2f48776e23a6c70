/** Something wrong with what a domain folder registers. */
export interface Fault {
  /** E.g. "domains/orders". */
  folder: string;
  /** The definition at fault, e.g. `subscription "customers"`. */
  thing: string;
  /** What is wrong with it, with the value. */
  problem: string;
  /** What to do. */
  remedy: string;
}

/** One line per fault. */
export function describeFault({ folder, thing, problem, remedy }: Fault): string {
  return `${folder}: ${thing} ${problem}. ${remedy}.`;
}

/** Collects the faults of one folder. */
export type Report = (thing: string, problem: string, remedy: string) => void;
