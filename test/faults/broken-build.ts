import type { Guarantee } from "../verdict/guarantees";

/** Replaces one text of a compiled file. */
export interface Edit {
  /** Below dist/. */
  file: string;
  /** Must occur exactly once. */
  find: string;
  replace: string;
}

/** A build with an intentional mistake, which the verdict must find. */
export interface BrokenBuild {
  name: string;
  /** The guarantees that the mistake breaks: the verdict must name one of them, and may name others. */
  breaks: readonly Guarantee[];
  edits: readonly Edit[];
}
