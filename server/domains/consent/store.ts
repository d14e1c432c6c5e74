import { randomUUID } from 'node:crypto';
import type { PurposeId, SubjectId } from '#base/ids';
import type { Permit } from '#core/policy';
import type { TenantTx } from '#core/tenancy';
import {
  type Conflict,
  conflictName,
  type Decided,
  type Receipt,
  type ReceiptId,
  type SubjectState,
} from './model.ts';

const RECEIPTS_MAX = 1_000;

export type Writer = Permit<'consent.record' | 'consent.withdraw'>;
export type NewReceipt = Omit<Receipt, 'id'>;

type StateRow = {
  subject: SubjectId;
  purpose: PurposeId;
  receipt: ReceiptId;
  granted: boolean;
  status: Decided['status'];
  givenAt: Date;
  expiresAt: Date | null;
};

/** The latest decision about each purpose; of two at the same time the refusal. */
const readLatest = (tx: TenantTx, subjects: readonly SubjectId[]) => tx<StateRow[]>`
  select distinct on (receipts.subject, purpose)
         encode(uuid_send(receipts.subject), 'hex') as subject, purpose, id as receipt, granted, status,
         given_at as "givenAt", expires_at as "expiresAt"
  from consent_receipts as receipts
  where kind = 'decision' and receipts.subject = any (${subjects}::uuid[])
  order by receipts.subject, purpose, given_at desc, granted
  limit 1000000`;

const readNoted = (tx: TenantTx, subjects: readonly SubjectId[]) => tx<Conflict[]>`
  select encode(uuid_send(subject), 'hex') as subject, purpose, signal, overrules
  from consent_receipts
  where kind = 'signal' and subject = any (${subjects}::uuid[])
  limit 1000000`;

/** What is known of these people; each of them is in the answer, also those who were silent. */
export async function readStates(
  tx: TenantTx,
  subjects: readonly SubjectId[],
): Promise<Map<SubjectId, SubjectState>> {
  // One after the other: a transaction is one connection, and the second mostly finds nothing.
  const latest = await readLatest(tx, subjects);
  const noted = await readNoted(tx, subjects);
  const states = new Map(
    subjects.map((subject) => [
      subject,
      { decisions: new Map<PurposeId, Decided>(), noted: new Set<string>() },
    ]),
  );
  for (const { subject, purpose, receipt, granted, status, givenAt, expiresAt } of latest) {
    states.get(subject)?.decisions.set(purpose, {
      receipt,
      granted,
      status,
      givenAt: givenAt.getTime(),
      expiresAt: expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
    });
  }
  for (const conflict of noted) states.get(conflict.subject)?.noted.add(conflictName(conflict));
  return states;
}

/** Two decisions of one person wait for one another; what one reads, the other has written. */
export async function lockSubject(tx: TenantTx, subject: SubjectId): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`consent ${subject}`}, 0))`;
}

type Row = Omit<Receipt, 'notice'> & {
  noticeVersion: string;
  noticeLanguage: string;
  noticeStated: boolean;
};

function receiptOf({ noticeVersion, noticeLanguage, noticeStated, ...row }: Row): Receipt {
  const notice = { version: noticeVersion, language: noticeLanguage, stated: noticeStated };
  return { ...row, notice };
}

/**
 * Writes receipts. Those that are there already (the same decision sent again, an overruling that
 * is on record) are left as they are.
 *
 * @returns the ids of those that were new, each with its place in the list.
 */
export async function insertReceipts(
  tx: TenantTx,
  _permit: Writer,
  receipts: readonly NewReceipt[],
): Promise<ReadonlyMap<number, ReceiptId>> {
  if (receipts.length === 0) return new Map();
  const ids = receipts.map(() => randomUUID() as string as ReceiptId);
  const rows = receipts.map((receipt, index) => ({
    id: ids[index] as string,
    kind: receipt.kind,
    subject: receipt.subject,
    purpose: receipt.purpose,
    granted: receipt.granted,
    status: receipt.status,
    given_at: receipt.givenAt,
    received_at: receipt.receivedAt,
    expires_at: receipt.expiresAt,
    notice_version: receipt.notice.version,
    notice_language: receipt.notice.language,
    notice_stated: receipt.notice.stated,
    method: receipt.method,
    signal: receipt.signal,
    overrules: receipt.overrules,
    revision: receipt.revision,
  }));
  const made = await tx<{ id: ReceiptId }[]>`
    insert into consent_receipts ${tx(rows as never[])}
    on conflict do nothing
    returning id`;
  const written = new Set(made.map(({ id }) => id));
  return new Map([...ids.entries()].filter(([, id]) => written.has(id)));
}

const columns = (tx: TenantTx) => tx`
  id, kind, encode(uuid_send(subject), 'hex') as subject, purpose, granted, status,
  given_at as "givenAt", received_at as "receivedAt", expires_at as "expiresAt",
  notice_version as "noticeVersion", notice_language as "noticeLanguage",
  notice_stated as "noticeStated", method, signal, overrules, revision`;

/** A person's receipts, newest first; at most 1,000. */
export async function readReceipts(tx: TenantTx, subject: SubjectId): Promise<Receipt[]> {
  const rows = await tx<Row[]>`
    select ${columns(tx)}
    from consent_receipts
    where subject = ${subject}
    order by given_at desc, granted, received_at desc
    limit ${RECEIPTS_MAX}`;
  return rows.map(receiptOf);
}

/** The very decision that was sent before, if it was. */
export async function readDecision(
  tx: TenantTx,
  {
    subject,
    purpose,
    givenAt,
    granted,
  }: Pick<Receipt, 'subject' | 'purpose' | 'givenAt' | 'granted'>,
): Promise<Receipt | undefined> {
  const [row] = await tx<Row[]>`
    select ${columns(tx)}
    from consent_receipts
    where kind = 'decision' and subject = ${subject} and purpose = ${purpose}
      and given_at = ${givenAt} and granted = ${granted}
    limit 1`;
  return row && receiptOf(row);
}

/** A revision that was in force once: receipts are rendered by the rules of their day. */
export async function readRevisionSource(
  tx: TenantTx,
  revision: number,
): Promise<{ source: string; hash: string } | undefined> {
  const [row] = await tx<{ source: string; hash: string }[]>`
    select source, hash
    from troth.policies
    where tenant = ${tx.tenant} and revision = ${revision}`;
  return row;
}

/** Deletes receipts that were made before. As the role that sweeps: no other may. */
export async function sweepReceipts(tx: TenantTx, before: Date): Promise<number> {
  const { count } = await tx`
    delete from consent_receipts
    where received_at < ${before}`;
  return count;
}

export type ReceiptsAge = { readonly rows: number; readonly oldest: Date | null };

export async function receiptsAge(tx: TenantTx): Promise<ReceiptsAge> {
  const [age] = await tx<ReceiptsAge[]>`
    select count(*)::float8 as rows, min(received_at) as oldest
    from consent_receipts`;
  return age ?? { rows: 0, oldest: null };
}
