/**
 * ClickHouse: events, one database per tenant and one table per declared data type. Embedded or
 * remote differ by a URL and nothing else; the official client speaks to both.
 *
 * Parameters are bound (`{name:Type}`), never put into the text. The ledger of batches is in
 * PostgreSQL: this engine's own deduplication log is not synced to disk.
 */
export {
  type ClickHouseOptions,
  clickHouseIsPackaged,
  type EmbeddedClickHouse,
  startClickHouse,
} from './embedded.ts';
export { eventsProblem } from './errors.ts';
export { claimEvents } from './instance.ts';
export { type Events, type Insertion, openEvents } from './open.ts';
export {
  openPurposeReader,
  PURPOSE_LOGINS,
  type PurposeReader,
  preparePurposeLogins,
  purposeLogin,
  purposeLoginStatements,
} from './purpose-logins.ts';
export { TABLE_SETTINGS_CLAUSE } from './table-settings.ts';
