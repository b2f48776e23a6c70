/** Changes that a microservice commits at once: TransactWriteItems takes 100 actions; a change takes two, the inbox record one. */
export const MAX_CHANGES_PER_COMMIT = 49;
