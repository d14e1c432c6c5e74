/**
 * Rotation: a new root and new tenant keys, every living key re-wrapped, the old ones destroyed.
 *
 * Re-wrapping only the tenant keys would not do: an old copy of the keyring holds the old tenant
 * key wrapped under the old root, and the living keys under that. The state is in the keyring
 * alone, so a rotation goes on where `kill -9` cut it.
 */
import type { Keks } from './keks.ts';
import type { Keyring } from './keyring.ts';
import { namedAad } from './named-keys.ts';
import { subjectAad } from './subject-keys.ts';

/** About 40 ms of work: whoever asks meanwhile waits no longer. */
const BATCH_KEYS = 1_000;

type Subject = { tenant: string; subject: Uint8Array; n: number };
type NamedRow = { tenant: string; name: string; version: number };
type Wrapped = { epoch: number; wrapped: Uint8Array; destroyAt: number | null };

const START: Subject = { tenant: '', subject: Buffer.alloc(0), n: 0 };

export class Rotation {
  readonly #keyring: Keyring;
  readonly #keks: Keks;
  #after = START;
  /** Counted once, since counting reads the whole file. */
  #left: number | undefined;

  constructor(keyring: Keyring, keks: Keks) {
    this.#keyring = keyring;
    this.#keks = keks;
  }

  keysLeft(): number {
    if (this.#keks.rotatingFrom === undefined) return 0;
    this.#left ??= this.#countLeft();
    return this.#left;
  }

  /** Re-wraps the next keys in one transaction; true when nothing is left. */
  step(): boolean {
    if (this.#keks.rotatingFrom === undefined) return true;
    const rewrapped = this.#keyring.commit(() => this.#rewrapSubjects() + this.#rewrapNamed());
    if (this.#left !== undefined) this.#left = Math.max(0, this.#left - rewrapped);
    if (rewrapped > 0) return false;
    this.#after = START;
    // The pass may have begun in the middle, behind a key that was released meanwhile.
    if (this.#countLeft() > 0) return false;
    this.#keks.endRotation();
    this.#left = undefined;
    return true;
  }

  #rewrapSubjects(): number {
    const rows = this.#keyring.all<Subject & Wrapped>(
      `select tenant, subject, n, epoch, wrapped, destroy_at as "destroyAt" from subject_keys
       where (tenant, subject, n) > (?, ?, ?) and epoch < ?
       order by tenant, subject, n limit ${BATCH_KEYS}`,
      ...[this.#after.tenant, this.#after.subject, this.#after.n, this.#keks.epoch],
    );
    for (const row of rows) {
      const { tenant, subject, n } = row;
      const aad = subjectAad(tenant, Buffer.from(subject).toString('hex'), n);
      const purpose = row.destroyAt === null ? 'live' : 'quarantine';
      const key = this.#keks.unwrap({ tenant, purpose, epoch: row.epoch, aad }, row.wrapped);
      this.#keyring.run(
        `update subject_keys set wrapped = ?, epoch = ?
         where tenant = ? and subject = ? and n = ?`,
        ...[this.#keks.wrap({ tenant, purpose, aad }, key), this.#keks.epoch, tenant, subject, n],
      );
      key.fill(0);
    }
    this.#after = rows.at(-1) ?? this.#after;
    return rows.length;
  }

  #rewrapNamed(): number {
    const rows = this.#keyring.all<NamedRow & Wrapped>(
      `select tenant, name, version, epoch, wrapped from named_keys
       where epoch < ? order by tenant, name, version limit ${BATCH_KEYS}`,
      this.#keks.epoch,
    );
    for (const { tenant, name, version, epoch, wrapped } of rows) {
      const aad = namedAad(tenant, name, version);
      const key = this.#keks.unwrap({ tenant, purpose: 'live', epoch, aad }, wrapped);
      this.#keyring.run(
        `update named_keys set wrapped = ?, epoch = ?
         where tenant = ? and name = ? and version = ?`,
        ...[
          this.#keks.wrap({ tenant, purpose: 'live', aad }, key),
          this.#keks.epoch,
          tenant,
          name,
          version,
        ],
      );
      key.fill(0);
    }
    return rows.length;
  }

  #countLeft(): number {
    return this.#count('subject_keys') + this.#count('named_keys');
  }

  #count(table: 'subject_keys' | 'named_keys'): number {
    const sql = `select count(*) as left from ${table} where epoch < ?`;
    return Number(this.#keyring.get<{ left: number }>(sql, this.#keks.epoch)?.left ?? 0);
  }
}
