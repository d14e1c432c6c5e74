/** What an operator asks of the keyring: its state, a rotation now, its recovery kit. */
import { setTimeout as wait } from 'node:timers/promises';
import { beginIntents, settleIntent } from '#core/audit';
import type { Permit } from '#core/policy';
import type { Database } from '#platform/database';
import { type Keeper, type KeeperStatus, printKit } from '#platform/keeper';
import { DAY_MS } from './tenant-keys.ts';

/** Rotation is due at day 25, so that it is never later than the promised 30. */
export const ROTATE_AFTER_DAYS = 25;
export const ROTATE_BEFORE_DAYS = 30;
const POLL_MS = 50;

export type KeysStatus = KeeperStatus & {
  ageDays: number;
  rotationDue: boolean;
  /** The promise is broken from here on. */
  rotationOverdue: boolean;
};

export async function keysStatus(keeper: Keeper, now: Date): Promise<KeysStatus> {
  const status = await keeper.call('status', { at: now.getTime() });
  const ageDays = (now.getTime() - status.epochAt) / DAY_MS;
  return {
    ...status,
    ageDays,
    rotationDue: ageDays >= ROTATE_AFTER_DAYS,
    rotationOverdue: ageDays >= ROTATE_BEFORE_DAYS,
  };
}

export type RotationOptions = {
  readonly keeper: Keeper;
  readonly db: Pick<Database, 'sql'>;
  /** One for each tenant: every one's log says that its keys were rotated. */
  readonly permits: readonly Permit<'key.rotate'>[];
  readonly now: Date;
};

/**
 * Rotates every key above people's keys, re-wraps those, destroys the old ones, and returns when
 * nothing opens an older copy any longer.
 *
 * @throws Problem keeper-unavailable, keyring-copy-missing, audit-log-unwritable,
 *         audit-log-damaged. A rotation that was begun goes on by
 *         itself, and the intents stay open until the next call settles them.
 */
export async function keysRotate({ keeper, db, permits, now }: RotationOptions) {
  const intents = await beginIntents(db, permits, { event: 'key.rotated', now });
  const { epoch, keysLeft } = await keeper.call('rotate', { at: now.getTime() });
  for (;;) {
    const { rotating } = await keeper.call('status', { at: now.getTime() });
    if (!rotating) break;
    await wait(POLL_MS);
  }
  for (const { permit, intent } of intents) {
    await settleIntent(db, permit, { intent, done: true, now });
  }
  return { epoch, rewrapped: keysLeft };
}

/**
 * Makes a recovery kit, and with it every older kit worthless. Print it; it is nowhere else.
 *
 * @param parts  Split it: any `threshold` of `shares` lines are enough, fewer say nothing.
 */
export async function recoveryKit(
  keeper: Keeper,
  now: Date,
  parts?: { shares: number; threshold: number },
): Promise<{ kit: string; lines: string[] }> {
  const { instance, epoch } = await keeper.call('status', { at: now.getTime() });
  const { secret } = await keeper.call('recovery', { at: now.getTime() });
  const lines = printKit(Buffer.from(secret, 'base64'), parts);
  const needs = parts ? `any ${parts.threshold} of these ${parts.shares} lines` : 'this line';
  const kit = [
    'TROTH RECOVERY KIT',
    `Keyring ${instance}, from epoch ${epoch}, ${now.toISOString().slice(0, 10)}.`,
    `With a copy of the keyring, ${needs} opens every key. Print it, store it apart.`,
    'It stays good when keys are rotated. Making another kit makes this one worthless.',
    'Use it, with the server stopped: npm run troth -- keys restore --copy DIR, and type it.',
    '',
    ...lines.map((line, at) => (parts ? `${at + 1}  ${line}` : line)),
  ].join('\n');
  return { kit, lines };
}
