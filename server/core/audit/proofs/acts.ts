/** Acts of a canary and of its operator, each with the transaction that it and its entry are of. */
import { asClient, type Look } from '#core/looking';

/** An act by the transaction that wrote it, and the transaction of its entry; null without one. */
type Pair = { readonly act: string; readonly entry: string | null };
export type Act = Pair & { readonly what: string };

/** Grounds by the words that publish them; a hold on this one need not say anything else. */
const LEGAL = /legal obligation/i;

const named = (what: string, pairs: readonly Pair[]): Act[] =>
  pairs.map(({ act, entry }) => ({ what, act, entry }));

async function schemaOf({ sql, tenant }: Look): Promise<string> {
  const [found] = await sql<{ schema: string }[]>`
    select schema from troth.tenants where id = ${tenant}`;
  if (!found) throw new Error('the service has no schema');
  return found.schema;
}

/** Decisions of somebody who agreed to everything, and then took it all back. */
async function decisions(look: Look, userId: string, subject: string): Promise<Act[]> {
  const { tenant, asServer } = look;
  await asClient(look, '/consents/withdraw', { body: { handle: { userId } } });
  const schema = await schemaOf(look);
  const pairs = await asServer(
    tenant,
    (tx) => tx<Pair[]>`
    select receipts.xmin::text as act, (
      select entries.xmin::text from troth.audit_entries as entries
      where entries.subject = receipts.subject and entries.tenant = ${tenant}
        and fields ->> 'purpose' = purpose and (fields -> 'granted')::text = granted::text
      limit 1) as entry
    from ${tx(schema)}.consent_receipts as receipts
    where receipts.subject = ${subject} and kind = 'decision'
    limit 1000`,
  );
  return named('a decision', pairs);
}

async function ofKey({ sql }: Look, id: string, event: string): Promise<Act[]> {
  const pairs = await sql<Pair[]>`
    select keys.xmin::text as act, (
      select entries.xmin::text from troth.audit_entries as entries
      where entries.tenant = keys.tenant and event = ${event} and fields ->> 'key' = keys.id
      limit 1) as entry
    from troth.write_keys as keys
    where id = ${id}`;
  return named(event, pairs);
}

/** Two keys: the one that canaries are sent with, and one of an application, which is revoked. */
async function ofKeys(look: Look, marker: string): Promise<Act[]> {
  const { operator, tenant, sql, writeKey } = look;
  const path = `/v1/operator/t/${tenant}/write-keys`;
  const body = { application: `canary-${marker}`, scopes: ['ingest'] };
  const { id = '' } = ((await operator(path, { body })).json ?? {}) as { id?: string };
  try {
    const issued = await ofKey(look, id, 'write-key.issued');
    await operator(`${path}/${id}`, { method: 'DELETE' });
    const revoked = await ofKey(look, id, 'write-key.revoked');
    const start = await ofKey(look, writeKey.split('_')[1] ?? '', 'write-key.issued');
    return [...start, ...issued, ...revoked];
  } finally {
    await sql`delete from troth.write_keys where id = ${id}`;
  }
}

async function ofHold({ sql }: Look, id: string, event: string): Promise<Act[]> {
  const pairs = await sql<Pair[]>`
    select holds.xmin::text as act, (
      select entries.xmin::text from troth.audit_entries as entries
      where entries.tenant = holds.tenant and event = ${event} and entries.subject = holds.subject
      limit 1) as entry
    from troth.holds
    where id = ${id}`;
  return named(event, pairs);
}

/** A hold that is placed and lifted; none where the service publishes no ground for one. */
async function ofHolds(look: Look, subject: string): Promise<Act[]> {
  const published = look.policy.rights?.erasure?.unless ?? [];
  if (!published.some((words) => LEGAL.test(words))) return [];
  const path = `/v1/t/${look.tenant}/holds`;
  const placed = await look.operator(path, { body: { subject, ground: 'legal-obligation' } });
  const { id = '' } = (placed.json ?? {}) as { id?: string };
  if (placed.status !== 201) throw new Error('a hold on a published ground was refused');
  const stands = await ofHold(look, id, 'hold.placed');
  await look.operator(`${path}/${id}/lift`, { method: 'POST' });
  return [...stands, ...(await ofHold(look, id, 'hold.lifted'))];
}

/** A demand for erasure, by the row of whom it is about: that of the demand itself moves on. */
async function ofDemand(look: Look, userId: string): Promise<Act[]> {
  const handle = { kind: 'user', value: userId };
  const told = await asClient(look, '/erasures', { body: { handle, confirm: true } });
  if (told.status !== 202) throw new Error('a demand was not taken in');
  const { id } = told.json as { id: string };
  const pairs = await look.sql<Pair[]>`
    select linked.xmin::text as act, (
      select entries.xmin::text from troth.audit_entries as entries
      where entries.tenant = erasures.tenant and entries.subject = erasures.subject
        and event = 'erasure.requested'
      limit 1) as entry
    from troth.erasures
    join troth.erasure_subjects as linked on linked.erasure = erasures.id
    where erasures.id = ${id}
    limit 1`;
  return named('erasure.requested', pairs);
}

/** Every act that a canary can do and have done to it; `undefined` where one was not found. */
export async function actsOf(look: Look): Promise<readonly Act[] | undefined> {
  const { userId, marker } = await look.canaries.agreeing();
  const subject = await look.canaries.subjectOf('user', userId);
  if (subject === undefined) return undefined;
  const decided = await decisions(look, userId, subject);
  const keys = await ofKeys(look, marker);
  const holds = await ofHolds(look, subject);
  const demands = await ofDemand(look, userId);
  if (decided.length < 2 || keys.length < 3 || demands.length === 0) return undefined;
  return [...decided, ...keys, ...holds, ...demands];
}
