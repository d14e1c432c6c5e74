/**
 * Tenants: one service each, with a schema, an event database, a prefix for objects and one for the
 * cache of its own.
 *
 * `inTenant` is the only way to a tenant's rows. It gives a transaction whose context is signed for
 * this tenant and this connection; without it every row is hidden, by the database itself.
 */
export { type Column, type EventTable, eventTableOf, eventTablesOf } from './columns.ts';
export { contractEvents, expandEvents, type Statement } from './ddl.ts';
export { tenancyProblem } from './errors.ts';
export {
  archiveDatabaseOf,
  cachePrefixOf,
  eventsDatabaseOf,
  objectPrefixOf,
  purposeRoleOf,
  schemaOf,
} from './naming.ts';
export { grantPurposes, revokePurposes } from './purpose-grants.ts';
export {
  columnsFor,
  type PurposeLogins,
  type PurposeView,
  purposeViewOf,
  showPurposes,
} from './purpose-views.ts';
export { lacksLogins, mendPurposes, readStanding } from './standing-store.ts';
export {
  createTenant,
  listTenants,
  loginOf,
  openTenancy,
  type Tenancy,
  tablesOf,
  takeLogins,
} from './store.ts';
export { dropTenant, type Held, markRemoved, tenantHoldings } from './store-end.ts';
export { withEventTables } from './table-lock.ts';
export { inTenant, type TenantScope, type TenantTx } from './tenant-tx.ts';
