/**
 * One erasure of a round, for all proofs that look at it: two canaries leave the same in every
 * store; one of them is erased, the other stays, and shows that each look sees what is there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  asClient,
  type ByteLook,
  type Canary,
  type Look,
  type StoredRow,
  typesByPerson,
} from '#core/looking';
import { type Demand, followed, hasKey, nameOf, read, shownOf, taken, whois } from './demands.ts';
import {
  type Archived,
  eventRows,
  keyringHolds,
  leaveArchived,
  type Rows,
  receiptIds,
  tableRows,
} from './stores.ts';

const DONE_WITHIN_MS = 55_000;
/** What goes wrong is tried again after some seconds. */
export const TROUBLED_MS = 15_000;
const LOOK_AGAIN_MS = 6_000;
/** The tables of one round of the mover are filled one after the other. */
const LATER_MS = 1_200;
const KEY_ID_AND_NONCE = [1, 21] as const;
/** The first bytes of neighbours in a sorted table are pressed together. */
const ID_FROM = 4;

/** What somebody left behind, before anything was asked for. */
export type Left = {
  readonly canary: Canary;
  /** The person, and the visitor that was identified as them. */
  readonly subjects: readonly string[];
  readonly events: Rows;
  readonly tables: Rows;
  /** Bytes of their own rows in each engine, of their keys, and texts that name them. */
  readonly bytes: {
    readonly clickhouse: readonly Buffer[];
    /** Of those, what stands in the archive alone. */
    readonly archived: readonly Buffer[];
    readonly postgresql: readonly Buffer[];
    readonly keyring: readonly Buffer[];
    readonly texts: readonly Buffer[];
  };
  readonly shown: { readonly receipts: number; readonly granted: string };
};

/** What can be seen of them afterwards. */
export type Remaining = {
  readonly events: Rows;
  readonly tables: Rows;
  readonly hasKey: boolean;
  readonly whois: string;
  readonly shown: { readonly receipts: number; readonly granted: string };
  /** Of their bytes in the keyring's files: how many. */
  readonly keyring: number;
};

export type Erased = {
  readonly gone: Left;
  readonly stays: Left;
  readonly demand: Demand;
  /** The trouble that lasted, and was still there at a second look. */
  readonly stuckIn: string | undefined;
  readonly reason: string;
  /** Of the machine that looked, before the demand was sent and after it was answered. */
  readonly sentAt: number;
  readonly answeredAt: number;
  /** Looked at while the rows were still there. */
  readonly atOnce: {
    readonly shown: { readonly receipts: number; readonly granted: string };
    readonly hasKey: boolean;
    readonly afterMs: number;
  };
  /** Whether an event that came after the demand was stored. */
  readonly lateStored: boolean;
  readonly after: { readonly gone: Remaining; readonly stays: Remaining };
  readonly search: ByteLook;
  readonly certificate: unknown;
};

/** Sends an event of each type that is kept by person, and waits until all are stored. */
export async function leave(look: Look, canary: Canary): Promise<StoredRow[]> {
  const { canaries } = look;
  const types = typesByPerson(look);
  const { messages } = await canaries.send(types.map((type) => canaries.event(type, canary)));
  const rows = await Promise.all(
    types.map((type, at) => canaries.stored(type, messages[at] ?? '')),
  );
  if (rows.some((found) => found.length === 0)) throw new Error('a canary was not stored');
  return rows.flat();
}

/** Who has to go: not as the keyring follows its links, but as what was sent says. */
async function subjectsOf(look: Look, canary: Canary): Promise<string[]> {
  const { canaries } = look;
  const subject = await canaries.subjectOf('user', canary.userId);
  if (!subject) throw new Error('a canary is not known');
  // Also on record for the time after: its name leads to nobody then.
  const visitor = await canaries.subjectOf('anonymous', canary.anonymousId);
  const events = typesByPerson(look).map((type) => canaries.event(type, canary));
  const isIdentified = events.some((event) => event['type'] === 'identify');
  return visitor !== undefined && isIdentified ? [subject, visitor] : [subject];
}

/** The number of a row as the engine writes it down: eight random bytes. */
function numberOf({ message }: Archived): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(message));
  return bytes;
}

async function leftBy(look: Look): Promise<Left> {
  const canary = await look.canaries.agreeing();
  const rows = await leave(look, canary);
  const subjects = await subjectsOf(look, canary);
  const archived = (await leaveArchived(look, subjects[0] ?? '')).map(numberOf);
  const traces = await look.keeper.call('traces', { tenant: look.tenant, subjects });
  const sealed = rows.filter((row) => row.sealed !== '');
  const frames = sealed.map((row) => Buffer.from(row.sealed, 'hex').subarray(...KEY_ID_AND_NONCE));
  const ids = subjects.map((subject) => Buffer.from(subject, 'hex').subarray(ID_FROM));
  const keys = traces.flatMap(({ keyIds, nonces }) => [...keyIds, ...nonces]);
  return {
    canary,
    subjects,
    events: await eventRows(look, subjects),
    tables: await tableRows(look, subjects),
    bytes: {
      clickhouse: [...frames, ...ids, ...archived],
      archived,
      postgresql: [...frames, ...(await receiptIds(look, subjects))],
      keyring: keys.map((text) => Buffer.from(text, 'base64')),
      texts: [canary.userId, canary.anonymousId, canary.marker].map((text) => Buffer.from(text)),
    },
    shown: await shownOf(look, canary),
  };
}

async function remainsOf(look: Look, { canary, subjects, bytes }: Left): Promise<Remaining> {
  return {
    events: await eventRows(look, subjects),
    tables: await tableRows(look, subjects),
    hasKey: await hasKey(look, subjects),
    whois: await whois(look, canary),
    shown: await shownOf(look, canary),
    keyring: (await keyringHolds(look, bytes.keyring)).filter(Boolean).length,
  };
}

/** Whether what comes late about somebody is stored; what comes about another has to be. */
export async function lateStored(look: Look, late: Canary, other: Canary): Promise<boolean> {
  const { canaries } = look;
  const [type] = typesByPerson(look);
  if (type === undefined) throw new Error('no event is kept by person');
  const [first] = (await canaries.send([canaries.event(type, late)])).messages;
  const [second] = (await canaries.send([canaries.event(type, other)])).messages;
  const [control] = await canaries.stored(type, second ?? '');
  if (!control) throw new Error('the control was not stored');
  await sleep(LATER_MS, undefined, { signal: look.signal });
  return (await canaries.stored(type, first ?? '', 0)).length > 0;
}

export const patternsOf = ({ bytes }: Left): Buffer[] => [
  ...new Set([...bytes.clickhouse, ...bytes.postgresql, ...bytes.keyring, ...bytes.texts]),
];

/** Done, or in one trouble that did not pass. */
export function endOf(troubledMs: number): (demand: Demand) => boolean {
  let first: { readonly trouble: string; readonly at: number } | undefined;
  return ({ state, trouble }) => {
    if (trouble === null) first = undefined;
    else if (first?.trouble !== trouble) first = { trouble, at: performance.now() };
    return state === 'done' || (first !== undefined && performance.now() - first.at > troubledMs);
  };
}

/** The trouble that a demand is in for too long, and after another try still is. */
async function stuckIn(look: Look, demand: Demand, isEnd: boolean): Promise<string | undefined> {
  if (!isEnd || demand.state === 'done' || demand.trouble === null) return undefined;
  await sleep(LOOK_AGAIN_MS, undefined, { signal: look.signal });
  const { state, trouble } = await read(look, demand.id);
  return state !== 'done' && trouble === demand.trouble ? trouble : undefined;
}

async function eraseOne(look: Look): Promise<Erased> {
  const [gone, stays] = await Promise.all([leftBy(look), leftBy(look)]);
  const reason = `canary_${gone.canary.marker.slice(0, 8)}`;
  const sentAt = Date.now();
  const handle = nameOf(gone.canary);
  const { id } = await taken(look, { handle, reason, confirm: true, complete: true });
  const answeredAt = Date.now();
  const atOnce = {
    shown: await shownOf(look, gone.canary),
    hasKey: await hasKey(look, gone.subjects),
    afterMs: Date.now() - answeredAt,
  };
  const isLateStored = await lateStored(look, gone.canary, stays.canary);
  const isEnd = endOf(TROUBLED_MS);
  // With its key it will not be done, however long anybody waits.
  const withinMs = atOnce.hasKey ? 0 : DONE_WITHIN_MS;
  const last = await followed(look, id, { is: isEnd, withinMs });
  const stuck = await stuckIn(look, last, isEnd(last));
  // It may end while it is looked at: what is true of a finished one is looked at after its state.
  const demand = await read(look, id);
  const told = await asClient(look, `/erasures/${id}/certificate`);
  const search = await look.bytes([...patternsOf(gone), ...patternsOf(stays)]);
  return {
    gone,
    stays,
    reason,
    sentAt,
    answeredAt,
    atOnce,
    search,
    lateStored: isLateStored,
    demand,
    stuckIn: stuck,
    after: { gone: await remainsOf(look, gone), stays: await remainsOf(look, stays) },
    certificate: told.status === 200 ? told.json : undefined,
  };
}

/** The erasure of this round. */
export const erased = (look: Look): Promise<Erased> => look.once('erased', eraseOne);
