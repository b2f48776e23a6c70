/** The author's API: all that a domain imports of this project. */
export { aggregate } from "./define/aggregate";
export { command, reject } from "./define/command";
export { microservice, monolithModule } from "./define/domain";
export { project } from "./define/project";
export { react } from "./define/react";
export { table, withKysely } from "./define/table";
export { MAX_CHANGES_PER_COMMIT } from "./store/limits";
export type { ChangeOf, EventTypeOf, StateOf } from "./define/aggregate";
export type { StagedChange } from "./define/change";
export type { Rejection } from "./define/command";
export type { HandlesOf } from "./define/handles";
export type { DomainEvent } from "./define/react";
export type { NewRowOf, RowOf } from "./define/table";
