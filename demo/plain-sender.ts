/** A client that knows nothing of Troth: Segment's batch call, or LoopKit's printed one. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../sdk/index.ts';
import type { Recorded, Signal } from './recording.ts';

export type PlainSenderOptions = {
  url: string;
  writeKey: string;
  /** LoopKit's printed `POST /v1/tracks` instead of Segment's `POST /v1/batch`. */
  printed: boolean;
  /** A header of the browsers that it speaks for. */
  signal: Signal | undefined;
  onAnswer: (answer: Answer) => void;
};

/** Addresses of public name servers: they have a country, and belong to no person. */
const ADDRESSES = ['1.1.1.1', '8.8.8.8', '9.9.9.9', '80.80.80.80', '84.200.69.80', '202.12.27.33'];
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64) Chrome/141.0.0.0 Safari/537.36';
const BATCH_EVENTS_MAX = 50;
const WAIT_MS = 400;
const TRIES_MAX = 6;

export class PlainSender {
  readonly #options: PlainSenderOptions;
  #waiting: object[] = [];
  #sending: Promise<void> | undefined;
  #stopped = false;

  constructor(options: PlainSenderOptions) {
    this.#options = options;
  }

  add({ person, event, properties, twice, more }: Recorded): void {
    const number = Number(/\d+$/.exec(person)?.[0] ?? 0);
    const { printed } = this.#options;
    const message = {
      type: 'track',
      messageId: randomUUID(),
      ...(printed ? { anonymousId: `page-${person}` } : { userId: person }),
      event,
      properties,
      timestamp: new Date().toISOString(),
      context: { ip: ADDRESSES[number % ADDRESSES.length], userAgent: BROWSER },
      ...more,
    };
    this.#waiting.push(message, ...(twice ? [message] : []));
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    while (this.#sending) await this.#sending;
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (!this.#stopped) await sleep(WAIT_MS);
      const events = this.#waiting.splice(0, BATCH_EVENTS_MAX);
      for (let attempt = 1; attempt <= TRIES_MAX; attempt += 1) {
        const pauseMs = await this.#post(events, attempt);
        if (pauseMs === 0) break;
        await sleep(pauseMs);
      }
    }
  }

  /** Returns how long to wait before another try; 0 when this was the last. */
  async #post(events: object[], attempt: number): Promise<number> {
    const { url, writeKey, printed, signal, onAnswer } = this.#options;
    const basic = Buffer.from(`${writeKey}:`).toString('base64');
    try {
      const response = await fetch(new URL(printed ? '/v1/tracks' : '/v1/batch', url), {
        method: 'POST',
        headers: {
          authorization: printed ? `Bearer ${writeKey}` : `Basic ${basic}`,
          'content-type': 'application/json',
          ...(signal && { [signal]: '1' }),
        },
        body: JSON.stringify({
          [printed ? 'tracks' : 'batch']: events,
          sentAt: new Date().toISOString(),
        }),
      });
      const body: unknown = await response.json().catch(() => undefined);
      const { status } = response;
      onAnswer({ call: 'batch', status, events: events.length, body });
      if (status < 500 && status !== 429) return 0;
      return Number(response.headers.get('retry-after') ?? attempt) * 1000;
    } catch {
      onAnswer({ call: 'batch', status: 0, events: events.length, body: undefined });
      return attempt * 500;
    }
  }
}
