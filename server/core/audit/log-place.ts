/** Where the logs lie, and who may write them: one process at a time. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TenantId } from '#base/ids';

const FOLDER = /^[a-z][a-z0-9-]{1,30}$/;

/** The folder of one tenant's log. */
export const logFolder = (auditDir: string, tenant: TenantId) => join(auditDir, tenant);

/** Names one tenant's log of one installation, for ever. */
export const originOf = (instance: string, tenant: TenantId) => `troth/${instance}/${tenant}`;

/** Tenants that have a log, also those that were taken out. */
export function logsIn(auditDir: string): TenantId[] {
  const entries = readdirSync(auditDir, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && FOLDER.test(entry.name))
    .map(({ name }) => TenantId(name));
}

/**
 * Takes the logs for this process: the kernel's own lock, through SQLite, gone when its holder is.
 * PostgreSQL's lock elects; this one holds where a lost connection would let two write at once.
 *
 * @returns what releases it, or `held` while another process has it.
 * @throws Error of the file system.
 */
export function lockLogs(auditDir: string): (() => void) | 'held' {
  mkdirSync(auditDir, { recursive: true, mode: 0o700 });
  const lock = new DatabaseSync(join(auditDir, '.writer'));
  try {
    lock.exec('pragma busy_timeout = 0; pragma journal_mode = delete; begin exclusive');
  } catch (error) {
    lock.close();
    if (String(error).includes('locked')) return 'held';
    throw error;
  }
  return () => lock.close();
}
