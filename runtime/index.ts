/**
 * The author's API: the only module of the project that a domain imports, beside other domains' contracts.
 */
export { aggregate } from "./define/aggregate";
export { MAX_CHANGES_PER_COMMIT } from "./define/change";
export { command } from "./define/command";
export { microservice, monolithModule } from "./define/domain";
export { project } from "./define/project";
export { react } from "./define/react";
export { reject } from "./define/rejection";
export { table, withKysely } from "./define/table";
export type { ChangeOf, EventTypeOf, StateOf } from "./define/aggregate";
export type { StagedChange } from "./define/change";
export type { HandlesOf } from "./define/handles";
export type { DomainEvent } from "./define/react";
export type { Rejection } from "./define/rejection";
export type { NewRowOf, RowOf } from "./define/table";
