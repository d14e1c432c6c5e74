/**
 * Canaries: people who do not exist, sent through the real door and looked for in the real stores.
 *
 * Nothing about them tells the pipeline that they are canaries: their ids are as random as anyone's
 * and they come with a write key of the service. What they leave is removed after the proofs.
 */
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataTypeId, SubjectId, type TenantId } from '#base/ids';
import type { Keys, OpenKey } from '#core/keys';
import type { Ask, Canaries, Canary, Look, StoredRow, Told } from '#core/looking';
import { eventTableOf } from '#core/tenancy';
import { eventFor, eventTypesOf } from './canary-events.ts';

const STORED_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 150;
const DAY_MS = 86_400_000;
const REVISIONS_BACK = 2;

export type CanaryNeeds = Pick<Look, 'tenant' | 'policy' | 'revision' | 'query' | 'signal'> & {
  readonly keys: Keys;
  readonly http: Look['http'];
  /** Puts the messages on record before they are sent. */
  readonly note: (messages: readonly bigint[]) => Promise<void>;
  /** Puts the opaque id of one of them on record. */
  readonly noteSubject: (subject: SubjectId) => Promise<void>;
  /** Somebody new. */
  readonly person: () => Canary;
  readonly backdated: Canaries['backdated'];
  readonly writeKey: string;
};

/**
 * The number that a message is stored under.
 *
 * Derived here once more from the keeper's key, apart from the ingest's own code: were that to
 * change, no canary would be found, and no proof would pass.
 */
export function messageNumber(keys: Pick<Keys, 'hash'>, tenant: TenantId, id: string): bigint {
  const halves = Array.from({ length: 4 }, (_, at) => keys.hash(tenant, 'message-key', String(at)));
  const key = halves.map(({ low, high }) => hex32(low) + hex32(high)).join('');
  const digest = createHash('sha256').update(`undefined ${key}${id}`).digest();
  const [low, high] = [digest.readUInt32BE(0), digest.readUInt32BE(4)];
  return (BigInt(high) << 32n) | BigInt(low);
}

const hex32 = (half: number) => half.toString(16).padStart(8, '0');

/** Opens the canaries of one service, for one run of proofs. */
export function openCanaries(needs: CanaryNeeds): Canaries {
  const { tenant, policy, query, keys, http, writeKey, signal, person } = needs;

  async function send(events: readonly object[], more: Ask & { path?: string } = {}) {
    const batch = events.map((event) => ({ messageId: randomUUID(), ...event }));
    await needs.note(batch.map(({ messageId }) => messageNumber(keys, tenant, messageId)));
    const told: Told = await http(more.path ?? `/v1/t/${tenant}/batch`, {
      ...more,
      headers: { authorization: `Bearer ${writeKey}`, ...more.headers },
      body: more.body ?? { batch },
    });
    return { ...told, messages: batch.map(({ messageId }) => messageId) };
  }

  async function stored(dataType: string, messageId: string, waitMs = STORED_WITHIN_MS) {
    const { database, table } = eventTableOf(tenant, policy, dataType);
    const message = messageNumber(keys, tenant, messageId).toString();
    for (const end = performance.now() + waitMs; ; ) {
      const rows = await query<StoredRow>(
        `select *, lower(hex(subject)) as subject, lower(hex(sealed)) as sealed,
                formatDateTime(received_at, '%Y-%m-%dT%H:%i:%S', 'UTC') || 'Z' as received_at,
                toString(message) as message, toString(session) as session
         from {database:Identifier}.{table:Identifier}
         where message = {message:UInt64}
         settings prefer_column_name_to_alias = 1`,
        { database, table, message },
      );
      if (rows.length > 0 || performance.now() > end) return rows;
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
  }

  async function agreeing() {
    const canary = person();
    const preferences = Object.fromEntries(
      Object.values(policy.compiled.purposes).map(({ id }) => [id, true]),
    );
    for (const handle of [{ userId: canary.userId }, { anonymousId: canary.anonymousId }]) {
      const told = await http(`/v1/t/${tenant}/consents/preferences`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${writeKey}` },
        body: { handle, preferences },
      });
      if (told.status !== 200) throw new Error('the canary could not agree');
    }
    return canary;
  }

  return {
    person,
    agreeing,
    eventTypes: eventTypesOf(policy),
    event: (dataType, canary, { event, known = true } = {}) =>
      eventFor(policy, dataType, { person: canary, event, known }),
    send,
    note: (id) => needs.note([messageNumber(keys, tenant, id)]),
    stored,
    backdated: needs.backdated,
    opened: (dataType, row) => openRow(needs, dataType, row),
    async subjectOf(kind, value) {
      const [found] = await keys.find(tenant, [{ kind, value }], { create: false });
      if (typeof found !== 'object') return undefined;
      await needs.noteSubject(found.subject);
      return found.subject;
    },
  };
}

async function keyOf(
  { tenant, policy, keys }: CanaryNeeds,
  { dataType, row, frame }: { dataType: string; row: StoredRow; frame: Buffer },
): Promise<OpenKey | undefined> {
  const kind = policy.data[dataType]?.key;
  if (kind === 'subject') return (await keys.openSubjects(tenant, [SubjectId(row.subject)]))[0];
  const day = Math.floor(Date.parse(row.received_at) / DAY_MS);
  const place = { type: DataTypeId(dataType), day: kind === 'period' ? day : undefined };
  return keys.sharedOf(tenant, place, frame);
}

async function openRow(needs: CanaryNeeds, dataType: string, row: StoredRow) {
  const { tenant, policy, keys, revision } = needs;
  if (row.sealed === '') return undefined;
  const frame = Buffer.from(row.sealed, 'hex');
  const key = await keyOf(needs, { dataType, row, frame });
  if (!key) return undefined;
  const { table } = eventTableOf(tenant, policy, dataType);
  const message = BigInt(row['message'] as string)
    .toString(16)
    .padStart(16, '0');
  const subject = policy.data[dataType]?.key === 'subject' ? row.subject : '0'.repeat(32);
  // A row may still be of the revision before the one in force.
  for (let back = 0; back < REVISIONS_BACK; back++) {
    for (const bound of [SubjectId(subject), undefined]) {
      const place = { tenant, table, row: message, subject: bound, revision: revision - back };
      const text = opening(() => keys.open(key, frame, place));
      if (text) return JSON.parse(text.toString()) as Record<string, unknown>;
    }
  }
  return undefined;
}

function opening(open: () => Buffer): Buffer | undefined {
  try {
    return open();
  } catch {
    return undefined; // Bound to another revision or person.
  }
}
