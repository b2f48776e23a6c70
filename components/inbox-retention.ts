/**
 * Days that an inbox remembers an event: longer than it can come back, also after one redrive. EventBridge keeps an
 * event that it cannot deliver for a day, the target's dead-letter queue for 14, and once it is redriven, the queue
 * and its dead-letter queue for another 14 together.
 */
export const INBOX_RETENTION_DAYS = 30;
