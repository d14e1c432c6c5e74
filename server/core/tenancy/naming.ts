import { createHash } from 'node:crypto';
import type { PurposeId, TenantId } from '#base/ids';

/** PostgreSQL cuts longer names silently, and two tenants could meet in what is left. */
const NAME_BYTES_MAX = 63;

/** Ids have no underscore, so two of them never give one name. */
const plain = (id: string) => id.replaceAll('-', '_');

/** The PostgreSQL schema of a tenant. */
export const schemaOf = (tenant: TenantId): string => `tenant_${plain(tenant)}`;

/** The ClickHouse database of a tenant. */
export const eventsDatabaseOf = (tenant: TenantId): string => `tenant_${plain(tenant)}`;

/** Where a tenant's events lie once they have left the active tier: no tenant is called so. */
export const archiveDatabaseOf = (tenant: TenantId): string => `archive_${plain(tenant)}`;

/** What the keys of a tenant's objects begin with. Ends with a slash. */
export const objectPrefixOf = (tenant: TenantId): string => `${tenant}/`;

/** What the keys of a tenant's cache entries begin with. */
export const cachePrefixOf = (tenant: TenantId): string => `${tenant}:`;

/** The PostgreSQL role that a tenant's rows are read under for one purpose. */
export function purposeRoleOf(tenant: TenantId, purpose: PurposeId | string): string {
  const name = `troth_${plain(tenant)}_${plain(purpose)}`;
  if (name.length <= NAME_BYTES_MAX) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 12);
  return `${name.slice(0, NAME_BYTES_MAX - 13)}_${digest}`;
}
