import type { AnyProjection } from "./project";
import type { Reactions } from "./react";

/** What a domain may subscribe with: a projection or reactions. */
export type AnySubscription = AnyProjection | Reactions;
