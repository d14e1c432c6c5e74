/**
 * The audit log: every committed act and its entry are one transaction, and every refusal is
 * written before its answer.
 *
 * Entries are only ever added. They hold ids, words and figures; a personal value is there as a
 * salted commitment, so that it can be shown to match and never be read.
 *
 * Within a second of its commit the sequencer writes an entry into its tenant's log: a Merkle tree
 * on the disk, signed, outside every restore set. No act waits for it; but acts that matter are
 * refused while a log cannot be written, or is not what was signed.
 *
 * Beside it stands the forget journal, an fsynced file outside every restore set: what was
 * forgotten stays forgotten after a restore of anything else.
 */
export { type AuditCut, auditAge, cutAudit } from './cut-store.ts';
export { auditProblem } from './errors.ts';
export { EXPORT_KIND, exportLog, type LogVerdict, verifyExport, verifyFolder } from './export.ts';
export { type Forgotten, type Journal, openJournal, readJournal } from './journal.ts';
export { logFolder, logsIn, originOf } from './log-place.ts';
export { openTenantLog, type ProvenEntry, type TenantLog } from './log-view.ts';
export {
  type AuditAct,
  type AuditEntry,
  type AuditEvent,
  commitmentOf,
  INSTALLATION,
  type IntentId,
  leafBytesOf,
  leafHashOf,
  type Personal,
  type Refusal,
  STRANGER,
} from './model.ts';
export { openRefusals, type RefusalLog } from './refusals.ts';
export { Sequencer, type SequencerOptions } from './sequencer.ts';
export {
  appendAudit,
  appendAudits,
  appendReplayed,
  beginIntent,
  beginIntents,
  type OpenIntent,
  openIntents,
  readAudit,
  recordRefusal,
  type StoredEntry,
  settleIntent,
} from './store.ts';
export { type AuditHealth, auditHealth, checkLogHealth, leafIndexOf } from './tree-store.ts';
