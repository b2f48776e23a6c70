/** The journey of one event from its commit to its subscribers; times in milliseconds since 1970. */
export interface Journey {
  eventId: string;
  /** The domain that raised it. */
  source: string;
  type: string;
  aggregateId: string;
  version: number;
  committedAt: number;
  /** When it was put on the Kinesis stream, or read from the table's stream. */
  capturedAt?: number;
  /** When the relay's batch with it succeeded. */
  publishedAt?: number;
  /** Subscription ("orders-on-customers") -> its delivery. */
  deliveries: Map<string, Delivery>;
}

/** The delivery of an event to one subscriber. */
export interface Delivery {
  /** When it reached the queue. */
  queuedAt: number;
  /** When it was projected or reacted to. */
  doneAt?: number;
  /** How often it went back to the queue. */
  failures: number;
  /** How often it was delivered again after it was done. */
  repeats: number;
}

/** The journeys of a run's events, in the order of capture. */
export interface Journal {
  journeys(): Journey[];
  get(eventId: string): Journey | undefined;
  captured(event: EventHeader, at: number): void;
  published(eventId: string, at: number): void;
  queued(eventId: string, subscription: string, at: number): void;
  done(eventId: string, subscription: string, at: number): void;
  failed(eventId: string, subscription: string): void;
  /** Calls the listener when an event reaches the bus and when a subscriber is done with it. */
  onProgress(listener: (journey: Journey) => void): void;
}

/** What identifies an event when it is captured. */
export type EventHeader = Omit<Journey, "capturedAt" | "publishedAt" | "deliveries">;

/** Opens an empty journal. */
export function openJournal(): Journal {
  const journeys = new Map<string, Journey>();
  const listeners: ((journey: Journey) => void)[] = [];
  const delivery = (eventId: string, subscription: string, at: number): Delivery | undefined => {
    const journey = journeys.get(eventId);
    if (!journey) return undefined;
    const known = journey.deliveries.get(subscription);
    if (known) return known;
    const made: Delivery = { queuedAt: at, failures: 0, repeats: 0 };
    journey.deliveries.set(subscription, made);
    return made;
  };
  return {
    journeys: () => [...journeys.values()],
    get: (eventId) => journeys.get(eventId),
    captured(event, at) {
      if (!journeys.has(event.eventId)) {
        journeys.set(event.eventId, { ...event, capturedAt: at, deliveries: new Map() });
      }
    },
    published(eventId, at) {
      const journey = journeys.get(eventId);
      if (!journey || journey.publishedAt !== undefined) return;
      journey.publishedAt = at;
      for (const listener of listeners) listener(journey);
    },
    queued(eventId, subscription, at) {
      delivery(eventId, subscription, at);
    },
    done(eventId, subscription, at) {
      const journey = journeys.get(eventId);
      const made = delivery(eventId, subscription, at);
      if (!journey || !made) return;
      if (made.doneAt !== undefined) {
        made.repeats += 1;
        return;
      }
      made.doneAt = at;
      for (const listener of listeners) listener(journey);
    },
    failed(eventId, subscription) {
      const made = journeys.get(eventId)?.deliveries.get(subscription);
      if (made) made.failures += 1;
    },
    onProgress: (listener) => listeners.push(listener),
  };
}
