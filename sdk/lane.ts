/**
 * One line of requests, one at a time, with pauses that grow when the server is in trouble: the
 * pause is drawn from nothing up to twice the last bound (full jitter), so that a thousand clients
 * do not come back together, and never shorter than the server asks for.
 */

/** `idle`: nothing to do. `done`: one answered. A number: try again, not before so many ms. */
export type Step = 'idle' | 'done' | number;

export type LaneOptions = {
  step(attempt: number): Promise<Step>;
  retryMs: readonly [first: number, longest: number];
  now: () => number;
  random: () => number;
};

/** What a server may ask for at most; a mistaken date must not silence a client for good. */
const PAUSE_MS_MAX = 3_600_000;
/** One pass ends after so many requests, whatever is added meanwhile. */
const STEPS_MAX = 1_000;

export class Lane {
  readonly #options: LaneOptions;
  #running: Promise<boolean> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = 0;
  #attempt = 0;
  /** When the next request may be made, in milliseconds since 1970. */
  notBefore = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Runs in so many milliseconds, or sooner when that was asked for before. */
  wake(delayMs: number): void {
    const now = this.#options.now();
    const due = Math.max(now + delayMs, this.notBefore);
    if (this.#timer !== undefined && this.#due <= due) return;
    this.stop();
    this.#due = due;
    const timer: unknown = setTimeout(() => {
      this.stop();
      void this.run();
    }, due - now);
    this.#timer = timer as ReturnType<typeof setTimeout>;
    // In Node a client that only waits does not keep the process alive.
    (timer as { unref?: () => void }).unref?.();
  }

  /** Makes every request that may be made now; true when none is left. */
  run(): Promise<boolean> {
    // Whatever goes wrong inside must not surface in the page as a rejection that nobody handles.
    this.#running ??= this.#pass()
      .catch(() => false)
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #pass(): Promise<boolean> {
    const { step, now, random, retryMs } = this.#options;
    for (let count = 0; count < STEPS_MAX; count += 1) {
      if (now() < this.notBefore) {
        this.wake(0);
        return false;
      }
      const result = await step(this.#attempt + 1);
      if (result === 'idle') return true;
      if (result === 'done') {
        this.#attempt = 0;
        continue;
      }
      const bound = Math.min(retryMs[1], retryMs[0] * 2 ** this.#attempt);
      this.#attempt += 1;
      this.notBefore = now() + Math.min(PAUSE_MS_MAX, result) + random() * bound;
    }
    this.wake(0);
    return false;
  }
}
