/**
 * The inbox: where an event becomes durable.
 *
 * Everything that arrives while one commit is on its way goes into the next, as one row of
 * PostgreSQL, whatever the tenants: so the cost of a commit is shared by all who wait for it, and a
 * slow disk makes groups larger instead of fewer. An answer is given after the commit, never
 * before.
 */
import assert from 'node:assert/strict';
import type { Permit } from '#core/policy';
import { encodeInbox, Section } from './inbox-format.ts';
import type { TypePlan } from './plan.ts';

export type InboxWriter = {
  /** Resolves when the row is durable, with its id. */
  write(body: Buffer, rows: number): Promise<string>;
};

export type InboxOptions = {
  readonly writer: InboxWriter;
  /** Told of each durable row, so that the mover need not read it back. */
  readonly committed?: (id: string, body: Buffer, rows: number) => void;
  /** An answer is given by then, with what is known; milliseconds. */
  readonly answerWithinMs?: number;
};

export type Durable = (durable: boolean) => void;

type Group = {
  readonly number: number;
  rows: number;
  waiting: { readonly since: number; readonly done: Durable }[];
};

const RETRY_AFTER_FAILURE_MS = 100;
/** Half a millisecond more of waiting saves a busy server a third of its commits. */
const GATHER_MS = 2;
const GROUP_BYTES_MAX = 32 * 1024 * 1024;
/** Since 1970, until 2149. */
const DAYS_MAX = 65_536;

export class Inbox {
  readonly #options: InboxOptions;
  readonly #failed = new Set<number>();
  /** What goes into the open group, by layout and day. */
  readonly #sections = new Map<number, Section>();
  readonly #timer: NodeJS.Timeout;
  #open: Group = newGroup(1);
  #writing: Group | undefined;
  #scheduled = false;
  #closed = false;
  groups = 0;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#giveUp(), 500);
    this.#timer.unref();
  }

  /** The number of the group that rows go into now. */
  get group(): number {
    return this.#open.number;
  }

  /** The commit failed, or nobody knows: what it held may be sent again. */
  hasFailed(group: number): boolean {
    return this.#failed.size > 0 && this.#failed.has(group);
  }

  /** How many failed groups are remembered; see `forgetFailures`. */
  get failures(): number {
    return this.#failed.size;
  }

  /** Only after every message that names such a group has been forgotten as well. */
  forgetFailures(): void {
    this.#failed.clear();
  }

  /** The section that rows of this type and day go into. The permit is leave to write them. */
  section({ tenant }: Permit<'event.ingest'>, type: TypePlan, day: number): Section {
    assert.equal(tenant, type.tenant);
    const place = type.layout * DAYS_MAX + day;
    let section = this.#sections.get(place);
    if (section === undefined) {
      section = new Section(type.layout, day);
      this.#sections.set(place, section);
    }
    return section;
  }

  /** Counts a row that was written into a section of the open group. */
  count(): void {
    this.#open.rows++;
    this.#schedule();
  }

  /** Calls back once, when the group is durable or is known not to be. */
  whenDurable(group: number, done: Durable): void {
    const at =
      group === this.#open.number
        ? this.#open
        : group === this.#writing?.number
          ? this.#writing
          : undefined;
    if (at === undefined) done(!this.#failed.has(group));
    else at.waiting.push({ since: performance.now(), done });
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing !== undefined || this.#closed) return;
    this.#scheduled = true;
    const since = performance.now();
    let rows = 0;
    // A turn of the loop that brings nothing new ends the group; while turns bring more, they join.
    const turn = () => {
      if (this.#open.rows > rows && performance.now() - since < GATHER_MS) {
        rows = this.#open.rows;
        setImmediate(turn);
        return;
      }
      this.#scheduled = false;
      this.#flush();
    };
    setImmediate(turn);
  }

  #flush(): void {
    if (this.#writing !== undefined || this.#open.rows === 0) return;
    const group = this.#open;
    this.#writing = group;
    this.#open = newGroup(group.number + 1);
    const body = this.#takeBody();
    this.#options.writer.write(body, group.rows).then(
      (id) => {
        this.groups++;
        this.#options.committed?.(id, body, group.rows);
        this.#settle(group, true);
      },
      () => this.#settle(group, false),
    );
  }

  /** Sections that were used are kept, because the next group most likely needs the same. */
  #takeBody(): Buffer {
    for (const [place, { rows }] of this.#sections) if (rows === 0) this.#sections.delete(place);
    const body = encodeInbox(this.#sections.values());
    for (const section of this.#sections.values()) section.clear();
    return body;
  }

  #settle(group: Group, durable: boolean): void {
    if (!durable) this.#failed.add(group.number);
    this.#writing = undefined;
    for (const { done } of group.waiting) done(durable);
    if (this.#open.rows === 0) return;
    if (durable) this.#schedule();
    else setTimeout(() => this.#flush(), RETRY_AFTER_FAILURE_MS).unref();
  }

  /** Answers those who waited too long; the commit itself goes on, and a retry finds it. */
  #giveUp(): void {
    const latest = performance.now() - (this.#options.answerWithinMs ?? 10_000);
    for (const group of [this.#writing, this.#open]) {
      if (group === undefined || group.waiting.length === 0) continue;
      const late = group.waiting.filter(({ since }) => since < latest);
      if (late.length === 0) continue;
      group.waiting = group.waiting.filter(({ since }) => since >= latest);
      for (const { done } of late) done(false);
    }
  }

  /** Bytes that wait for a commit; a caller refuses more when there are too many. */
  get isFull(): boolean {
    if (this.#writing === undefined) return false;
    let bytes = 0;
    for (const section of this.#sections.values()) bytes += section.bytes.length;
    return bytes > GROUP_BYTES_MAX;
  }

  /** Writes what is open and waits for it. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    while (this.#writing !== undefined || this.#open.rows > 0) {
      const waited = new Promise<boolean>((done) => {
        this.whenDurable((this.#writing ?? this.#open).number, done);
      });
      this.#flush();
      if (!(await waited)) return;
    }
  }
}

const newGroup = (number: number): Group => ({ number, rows: 0, waiting: [] });
