/** Something wrong with what a domain folder registers. */
export interface Fault {
  /** E.g. "domains/orders". */
  folder: string;
  /** What is wrong, e.g. `subscription "customers"`. */
  thing: string;
  /** What it is, and what it should be. */
  problem: string;
  /** What to do. */
  remedy: string;
}

/** One line a fault. */
export function describeFault({ folder, thing, problem, remedy }: Fault): string {
  return `${folder}: ${thing} ${problem}. ${remedy}.`;
}

/** Collects the faults of one folder. */
export type Report = (thing: string, problem: string, remedy: string) => void;
