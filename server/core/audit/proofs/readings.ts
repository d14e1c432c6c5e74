/** The proofs about readings: each leaves an entry, in the log of its service and in no other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asClient, type Look, momentOf, personalRow, readAt } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, terms } from '#core/promises';
import { type Entry, entriesAfter, lastSeq, leafOf } from './entries.ts';
import { readLog } from './signed-log.ts';

const ATTEMPTS = 12;
const AGAIN_MS = 400;

type Read = { readonly entries: readonly Entry[]; readonly subject: string };

/** Reads a canary in each way that there is; what it saw of the entries, or why it could not. */
async function readCanary(look: Look): Promise<Read | Seen> {
  const { policy } = look;
  const canary = await personalRow(look);
  const purpose = canary && policy.data[canary.type]?.purposes[0];
  if (!canary || !purpose) return gap(saw`a canary that could be read was not stored`);
  const { type: data, person, row } = canary;
  const moment = await momentOf(look, data, String(row['message']));
  const before = await lastSeq(look);
  const events = await readAt(look, moment, purpose);
  const status = await asClient(look, '/consents/status', {
    body: { handle: { userId: person.userId } },
  });
  if (events.row === undefined || status.status !== 200)
    return gap(saw`the canary could not be read`);
  const entries = await entriesAfter(look, before);
  const { subject } = row;
  const ofEvents = entries.filter(({ hashed }) => hashed['event'] === 'events.read');
  const ofConsent = entries.filter(
    ({ hashed }) => hashed['event'] === 'consent.read' && hashed['subject'] === subject,
  );
  const told = ofEvents.filter(
    ({ hashed }) => (hashed['fields'] as { data?: string } | undefined)?.data === data,
  );
  if (told.length === 0) return broken(saw`a reading of events left no entry`);
  if (ofConsent.length === 0) return broken(saw`a reading of somebody's consent left no entry`);
  return { entries: [...told.slice(-1), ...ofConsent.slice(-1)], subject };
}

/** Waits until the entries stand in the signed log; those that do not. */
async function outsideLog(look: Look, entries: readonly Entry[]): Promise<readonly Entry[]> {
  for (let attempt = 1; ; attempt++) {
    const log = await readLog(look);
    const leaves = new Set(log?.rootFits === false ? [] : log?.leaves);
    const outside = entries.filter((entry) => !leaves.has(leafOf(entry).toString('hex')));
    if (outside.length === 0 || attempt === ATTEMPTS) return outside;
    await sleep(AGAIN_MS, undefined, { signal: look.signal });
  }
}

export const readsLogged = defineProof({
  control: 'access.reads-logged',
  strength: 'stored-bytes',
  blindTo: 'Readings past the server: by the owner of an engine, or of a disk.',
  async prove(at) {
    const read = await readCanary(at);
    if ('state' in read) return read;
    const changed = read.entries.filter((entry) => !leafOf(entry).equals(entry.leaf));
    if (changed.length > 0) return broken(saw`${changed.length} entries do not fit their hash`);
    const outside = await outsideLog(at, read.entries);
    if (outside.length > 0) {
      return broken(
        saw`${outside.length} of ${read.entries.length} entries are not in the signed log`,
      );
    }
    return kept(
      saw`a reading of a canary's events and one of its consent: ${read.entries.length} of ${read.entries.length} left an entry, each in the signed log`,
    );
  },
});

/** Services whose log has one of the entries, beside its own. */
async function strayLogs(look: Look, entries: readonly Entry[]): Promise<string[]> {
  const leaves = entries.map((entry) => leafOf(entry).toString('hex'));
  const found: string[] = [];
  for (const { tenant } of look.others) {
    const log = await readLog({ ...look, tenant });
    if (log && leaves.some((leaf) => log.leaves.includes(leaf))) found.push(tenant);
  }
  return found;
}

export const serviceLogs = defineProof({
  control: 'tenancy.service-logs',
  strength: 'protocol',
  blindTo: 'Accesses to services of the family that run elsewhere.',
  async prove(at) {
    const { subject, ...read } = { subject: '', ...(await readCanary(at)) };
    if (!('entries' in read)) return read as Seen;
    const [foreign] = await at.sql<{ entries: number }[]>`
      select count(*)::int as entries from troth.audit_entries
      where subject = ${subject} and tenant <> ${at.tenant}`;
    const outside = await outsideLog(at, read.entries);
    if (outside.length > 0 || (foreign?.entries ?? 0) > 0) {
      return broken(saw`an access to this service is not in its own log`);
    }
    const stray = await strayLogs(at, read.entries);
    if (stray.length > 0) return broken(saw`it is in the log of ${terms(stray)}`);
    return kept(
      saw`${read.entries.length} accesses of a canary stand in the signed log of this service, and in none of ${at.others.length} others`,
    );
  },
});
