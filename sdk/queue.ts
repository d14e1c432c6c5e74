/** Events that wait, oldest first; never more than its bound, and never one that is too large. */
import type { DropReason } from './model.ts';

/** What a browser lets outlive a page is 64 KiB in all; one request stays below it. */
export const BODY_BYTES_MAX = 60_000;
/** The request's own words around the events. */
const FRAME_BYTES = 500;

export type Item = {
  /** As it will be sent: what the page changes later does not reach us. */
  text: string;
  bytes: number;
  /** Events of two ids never share a request. */
  id: string;
  purpose: string | undefined;
  essential: boolean;
};

export type Drop = (reason: DropReason, events?: number) => void;

const utf8 = new TextEncoder();
export const bytesOf = (text: string) => utf8.encode(text).length;

export class Queue {
  #items: Item[] = [];
  readonly #itemsMax: number;
  readonly #drop: Drop;

  constructor(itemsMax: number, drop: Drop) {
    this.#itemsMax = Math.max(1, itemsMax);
    this.#drop = drop;
  }

  get length(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    if (item.bytes > BODY_BYTES_MAX - FRAME_BYTES) return this.#drop('too-large');
    this.#items.push(item);
    this.#trim();
  }

  putBack(items: readonly Item[]): void {
    this.#items.unshift(...items);
    this.#trim();
  }

  /** Takes what may leave together; forgets what may not leave any more. */
  take(judge: (item: Item) => DropReason | 'send' | 'wait', eventsMax: number): Item[] {
    const taken: Item[] = [];
    let bytes = FRAME_BYTES;
    let full = false;
    this.#items = this.#items.filter((item) => {
      const verdict = judge(item);
      if (verdict === 'wait') return true;
      if (verdict !== 'send') {
        this.#drop(verdict);
        return false;
      }
      if (taken[0] && taken[0].id !== item.id) return true;
      full ||= taken.length >= eventsMax || bytes + item.bytes + 1 > BODY_BYTES_MAX;
      if (full) return true;
      bytes += item.bytes + 1;
      taken.push(item);
      return false;
    });
    return taken;
  }

  #trim(): void {
    const over = this.#items.length - this.#itemsMax;
    if (over <= 0) return;
    this.#items.splice(0, over);
    this.#drop('queue-full', over);
  }
}
