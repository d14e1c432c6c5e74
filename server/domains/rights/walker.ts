/**
 * Walks open erasures to their end, many at a time: one rewrite of a table, one search of the disk
 * for all of them. One walker works at a time, in whichever server holds the lock; every step is
 * written down before the next, and may be repeated.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Word } from '#base/ids';
import { CACHE_LIFE_MS } from '#core/keys';
import { logThrown } from '#platform/database';
import { deleteRows } from './deleting.ts';
import type { ErasureDeps } from './deps.ts';
import { hidePerson } from './hiding.ts';
import { type Erasure, type ErasureState, lateUntil } from './model.ts';
import { finishUndoing } from './requests.ts';
import { hideSubjects } from './store-hidden.ts';
import { standingGround } from './store-holds.ts';
import { withWalkersLock } from './store-lock.ts';
import * as store from './store-requests.ts';
import { forgetTraces, verifyErasures } from './verifying.ts';
import { Waits } from './walking.ts';

const AGAIN_MS = 5_000;
/** A request under way in another server is left to it for this long. */
const YOUNG_MS = 10_000;
/** A step that takes longer is left in the middle, as by a crash: the next start repeats it. */
const CLOSE_WITHIN_MS = 500;

function troubleOf(error: unknown): string {
  if (error instanceof Waits) return error.trouble;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^[a-z][a-z-]{0,60}$/.test(code) ? code : 'went-wrong';
}

export class Walker {
  readonly #deps: ErasureDeps;
  #walking: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(deps: ErasureDeps) {
    this.#deps = deps;
  }

  /** Soon, without waiting for it. */
  wake(): void {
    void this.walk();
  }

  /** Resolves when everything that can get on has. */
  walk(): Promise<void> {
    this.#again = true;
    this.#walking ??= this.#run().finally(() => {
      this.#walking = undefined;
    });
    return this.#walking;
  }

  /** For a start: whoever is to be hidden is, also those whom a crash left in the middle. */
  async hideAll(): Promise<void> {
    const { db } = this.#deps;
    for (const erasure of await store.readOpen(db.sql, ['recorded', 'held', 'hidden'])) {
      // One that cannot be done now must not keep the others, or the start, from it.
      await this.#each([erasure], () => this.#hide(erasure, { isStart: true }));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const late = sleep(CLOSE_WITHIN_MS, undefined, { ref: false });
    await Promise.race([this.#walking, late]);
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        // Whoever has the lock was woken as well, and looks once more when it is done.
        await withWalkersLock(this.#deps.db, () => this.#pass());
      } catch (error) {
        if (this.#closed) return;
        // With the database away the next turn tries again.
        logThrown(this.#deps.log, Word('rights.walk'), error);
        this.#later();
      }
    }
  }

  #later(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.wake(), AGAIN_MS);
    this.#timer.unref();
  }

  async #open(states: readonly ErasureState[]): Promise<Erasure[]> {
    return this.#inForce(await store.readOpen(this.#deps.db.sql, states));
  }

  /** A service that is being taken out takes its demands along. */
  #inForce(erasures: readonly Erasure[]): Erasure[] {
    return erasures.filter(({ tenant }) => this.#deps.policies.find(tenant));
  }

  async #pass(): Promise<void> {
    for (const erasure of await this.#open(['recorded', 'held', 'hidden'])) {
      await this.#each([erasure], () => this.#hide(erasure, { isStart: false }));
    }
    for (const erasure of this.#inForce(await store.readLeftovers(this.#deps.db.sql))) {
      await this.#each([erasure], () => this.#tidy(erasure));
    }
    const shredded = await this.#open(['shredded']);
    for (const tenant of new Set(shredded.map((erasure) => erasure.tenant))) {
      const theirs = shredded.filter((erasure) => erasure.tenant === tenant);
      await this.#each(theirs, () => deleteRows(this.#deps, tenant, theirs));
    }
    const deleted = (await this.#open(['deleted'])).filter((one) => this.#isDue(one));
    if (deleted.length > 0) await this.#each(deleted, () => verifyErasures(this.#deps, deleted));
  }

  /** What goes wrong is noted beside the erasures it concerns, and the others go on. */
  async #each(erasures: readonly Erasure[], work: () => Promise<void>): Promise<void> {
    if (this.#closed) return;
    try {
      await work();
    } catch (error) {
      // What a step meets that was left in the middle is the stop itself.
      if (this.#closed) return;
      const trouble = troubleOf(error);
      const { db, log } = this.#deps;
      if (!(error instanceof Waits)) {
        logThrown(log, Word('rights.walk'), error);
      }
      for (const { id, tenant } of erasures) {
        await store.noteTrouble(db.sql, id, trouble);
        log('erasure.waits', { tenant, trouble: Word(trouble) });
      }
      this.#later();
    }
  }

  /** A server that did not say that it forgot the key has forgotten it a minute later. */
  #isDue({ keys, keyDestroyedAt }: Erasure): boolean {
    if (!keys?.cutOff || !keyDestroyedAt) return true;
    const isDue = this.#deps.clock.now().getTime() - keyDestroyedAt.getTime() > CACHE_LIFE_MS;
    if (!isDue) this.#later();
    return isDue;
  }

  async #hide(erasure: Erasure, { isStart }: { isStart: boolean }): Promise<void> {
    const { db, clock } = this.#deps;
    const { id, tenant, state, destroyAt, requestedAt } = erasure;
    const now = clock.now();
    const isYoung = now.getTime() - requestedAt.getTime() < YOUNG_MS;
    if (state === 'recorded' && isYoung && !isStart) return this.#later();
    if (state === 'hidden' && destroyAt !== null && destroyAt > now) return;
    if (state === 'held') {
      const subjects = (await store.readSubjects(db.sql, [id])).get(id) ?? [];
      if (await standingGround(db.sql, tenant, subjects, now)) return;
      await hideSubjects(db.sql, tenant, subjects, lateUntil(now));
    }
    // From `hidden` on there is no undoing once this is written.
    await store.changeErasure(db.sql, { id, from: ['held', 'hidden'] }, { state: 'recorded' });
    await hidePerson(this.#deps, { ...erasure, state: 'recorded' });
  }

  /** An undoing that was cut off, or the traces of an erasure that is done. */
  async #tidy(erasure: Erasure): Promise<void> {
    if (erasure.state === 'undone' && erasure.finishedAt === null) {
      await finishUndoing(this.#deps, erasure);
    }
    await forgetTraces(this.#deps, erasure);
  }
}
