/**
 * The audit log: every committed act and its entry are one transaction, and every refusal is
 * written before its answer.
 *
 * Entries are only ever added. They hold ids, words and figures; a personal value is there as a
 * salted commitment, so that it can be shown to match and never be read. The tree over the entries
 * is built later by one sequencer, from `leaf_hash`; nothing here waits for it.
 *
 * Beside it stands the forget journal, an fsynced file outside every restore set: what was
 * forgotten stays forgotten after a restore of anything else.
 */
export { auditProblem } from './errors.ts';
export { type Forgotten, type Journal, openJournal, readJournal } from './journal.ts';
export {
  type AuditAct,
  type AuditEntry,
  type AuditEvent,
  commitmentOf,
  INSTALLATION,
  type IntentId,
  leafHashOf,
  type Personal,
  type Refusal,
  STRANGER,
} from './model.ts';
export { auditProofs } from './proofs/index.ts';
export { openRefusals, type RefusalLog } from './refusals.ts';
export {
  appendAudit,
  appendAudits,
  beginIntent,
  type OpenIntent,
  openIntents,
  readAudit,
  recordRefusal,
  type StoredEntry,
  settleIntent,
} from './store.ts';
