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

export type Rotation = {
  /** Re-wraps the next keys in one transaction; true when nothing is left. */
  step(): boolean;
  keysLeft(): number;
};

export function rotationOf(keyring: Keyring, keks: Keks): Rotation {
  const start: Subject = { tenant: '', subject: Buffer.alloc(0), n: 0 };
  let after = start;
  /** Counted once, since counting reads the whole file. */
  let left: number | undefined;

  function rewrapSubjects(): number {
    const rows = keyring.all<Subject & Wrapped>(
      `select tenant, subject, n, epoch, wrapped, destroy_at as "destroyAt" from subject_keys
       where (tenant, subject, n) > (?, ?, ?) and epoch < ?
       order by tenant, subject, n limit ${BATCH_KEYS}`,
      ...[after.tenant, after.subject, after.n, keks.epoch],
    );
    for (const row of rows) {
      const { tenant, subject, n } = row;
      const aad = subjectAad(tenant, Buffer.from(subject).toString('hex'), n);
      const purpose = row.destroyAt === null ? 'live' : 'quarantine';
      const key = keks.unwrap({ tenant, purpose, epoch: row.epoch, aad }, row.wrapped);
      keyring.run(
        `update subject_keys set wrapped = ?, epoch = ?
         where tenant = ? and subject = ? and n = ?`,
        ...[keks.wrap({ tenant, purpose, aad }, key), keks.epoch, tenant, subject, n],
      );
      key.fill(0);
    }
    after = rows.at(-1) ?? after;
    return rows.length;
  }

  function rewrapNamed(): number {
    const rows = keyring.all<NamedRow & Wrapped>(
      `select tenant, name, version, epoch, wrapped from named_keys
       where epoch < ? order by tenant, name, version limit ${BATCH_KEYS}`,
      keks.epoch,
    );
    for (const { tenant, name, version, epoch, wrapped } of rows) {
      const aad = namedAad(tenant, name, version);
      const key = keks.unwrap({ tenant, purpose: 'live', epoch, aad }, wrapped);
      keyring.run(
        `update named_keys set wrapped = ?, epoch = ?
         where tenant = ? and name = ? and version = ?`,
        ...[keks.wrap({ tenant, purpose: 'live', aad }, key), keks.epoch, tenant, name, version],
      );
      key.fill(0);
    }
    return rows.length;
  }

  const count = (table: 'subject_keys' | 'named_keys') =>
    keyring.get<{ left: number }>(
      `select count(*) as left from ${table} where epoch < ?`,
      keks.epoch,
    )?.left ?? 0;
  const countLeft = () => Number(count('subject_keys')) + Number(count('named_keys'));

  return {
    keysLeft() {
      if (keks.rotatingFrom === undefined) return 0;
      left ??= countLeft();
      return left;
    },
    step() {
      if (keks.rotatingFrom === undefined) return true;
      const rewrapped = keyring.commit(() => rewrapSubjects() + rewrapNamed());
      if (left !== undefined) left = Math.max(0, left - rewrapped);
      if (rewrapped > 0) return false;
      after = start;
      // The pass may have begun in the middle, behind a key that was released meanwhile.
      if (countLeft() > 0) return false;
      keks.endRotation();
      left = undefined;
      return true;
    },
  };
}
