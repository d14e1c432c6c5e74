import type { Brand, DataTypeId, PromiseId, PurposeId, RequestId, TenantId, Word } from '#base/ids';
import type { Loggable } from '#base/loggable';

/** The frames of an error without its message: a message may quote what somebody typed. */
export type Frames = Brand<'Frames'>;

type Checked<Table extends Record<string, Record<string, Loggable>>> = Table;

/** Every line the server can write. A new kind of line is added here, where a reviewer looks. */
export type LogLines = Checked<{
  'bug.seen': { where: Word; request?: RequestId; frames: Frames };
  'engine.away': { engine: Word; where: Word };
  'disk.full': { engine: Word; where: Word };
  'child.started': { child: Word; pid: number; durationMs: number };
  'child.refused': { child: Word; attempt: number };
  'child.died': { child: Word; pid: number; restarts: number };
  'child.stopped': { child: Word; pid: number };
  'orphan.stopped': { child: Word; pid: number };
  'stale-lock.removed': { child: Word };
  'directory.tightened': { entries: number };
  'migration.applied': { section: Word; number: number; durationMs: number };
  'policy.applied': { tenant: TenantId; revision: number; durationMs: number };
  'policy.left-out': { code: Word; tenant?: TenantId; revision?: number; line?: number };
  'events.no-purpose-logins': Record<string, never>;
  'purposes.mended': { tenant: TenantId; statements: number; refused: number };
  'policy.refreshed': { tenant: TenantId; revision: number };
  'job.failed': { job: Word; attempt: number; frames: Frames };
  'job.abandoned': { job: Word; attempt: number };
  'job.done': { job: Word; durationMs: number };
  'http.done': { request: RequestId; tenant?: TenantId; status: number; durationMs: number };
  'promise.broken': { tenant: TenantId; promise: PromiseId };
  'evidence.round': { findings: number; durationMs: number };
  'rows.swept': { tenant: TenantId; dataType: DataTypeId; rows: number };
  'sweep.put-off': { why: Word };
  'tenant.removed': { tenant: TenantId; durationMs: number };
  'subject.erased': { tenant: TenantId; people: number };
  'erasure.waits': { tenant: TenantId; trouble: Word };
  'erasure.late': { tenant: TenantId; demands: number };
  'erasure.control': { marker: Word };
  'consent.recorded': { tenant: TenantId; purpose: PurposeId };
  'job.lost': { job: Word; attempt: number };
  'audit.logs-unwritable': { retryMs: number };
  'audit.log-failed': { tenant: TenantId; fault: Word };
  'queue.restarted': { restarts: number };
  'ingest.move-failed': { tables: number; attempt: number };
  'ingest.rows-set-aside': { rows: number; engineCode: number };
}>;
