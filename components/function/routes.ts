import type * as pulumi from "@pulumi/pulumi";

/**
 * The targets of all rules on the bus, each of which depends on its rule, its queue and the queue's policy. What
 * publishes or raises events depends on them, so that no event is published before the rules that take it stand.
 */
export type Routes = pulumi.Input<pulumi.Resource[]>;
