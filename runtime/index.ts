/**
 * The author's API: the only module of the project that a domain imports, beside other domains' contracts.
 */
export { aggregate } from "./define/aggregate";
export { MAX_CHANGES_PER_COMMIT } from "./define/change";
export { command, reject } from "./define/command";
export { microservice, monolithModule } from "./define/domain";
export { project } from "./define/project";
export { react } from "./define/react";
export { table, withKysely } from "./define/table";
export type { ChangeOf, EventTypeOf, StateOf } from "./define/aggregate";
export type { StagedChange } from "./define/change";
export type { Rejection } from "./define/command";
export type { HandlesOf } from "./define/handles";
export type { DomainEvent } from "./define/react";
export type { NewRowOf, RowOf } from "./define/table";
