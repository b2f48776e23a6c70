/**
 * Days that an inbox remembers an event: longer than it can come back. A dead-letter queue keeps a message for 14
 * days, after up to 4 days in its queue and one in EventBridge.
 */
export const INBOX_RETENTION_DAYS = 30;
