/**
 * A clock that leaps ahead would delete everything at once. While a process runs, the time that has
 * passed is known from elsewhere, so a leap is seen: that pass is left out and told, and the next
 * one, an hour on, takes the clock at its word. A machine that slept looks the same and loses an
 * hour; after a restart nobody can tell, and the clock is believed.
 */
const LEAP_MS = 6 * 3_600_000;
const WAIT_MS = 3_600_000;

export class ClockGuard {
  readonly #elapsed: () => number;
  #seen: { now: number; elapsed: number } | undefined;
  #leaptAt: number | undefined;

  /** @param elapsed  milliseconds that no clock setting changes. */
  constructor(elapsed: () => number = () => performance.now()) {
    this.#elapsed = elapsed;
  }

  /** False while a leap ahead is not an hour old. Asked once for each pass. */
  mayBelieve(time: Date): boolean {
    const [now, elapsed] = [time.getTime(), this.#elapsed()];
    const before = this.#seen;
    this.#seen = { now, elapsed };
    if (!before) return true;
    const leap = now - before.now - (elapsed - before.elapsed);
    if (leap > LEAP_MS) this.#leaptAt = elapsed;
    // Put back again: there was nothing to wait for.
    if (leap < -LEAP_MS) this.#leaptAt = undefined;
    if (this.#leaptAt !== undefined && elapsed - this.#leaptAt >= WAIT_MS) {
      this.#leaptAt = undefined;
    }
    return this.#leaptAt === undefined;
  }
}
