/** The end of a tenant: everything that the keyring holds of it goes, in both copies. */
import type { Keks } from './keks.ts';
import type { Keyring } from './keyring.ts';
import { checkTenant } from './named-keys.ts';
import type { Ask, Census, Evict } from './protocol.ts';

/** About 20 ms of work: whoever asks meanwhile waits no longer. */
const BATCH_ROWS = 2_000;

/** Tables with rows of people and keys, and what tells their rows apart within a tenant. */
const HOLDINGS = [
  ['subject_keys', 'subject, n'],
  ['handles', 'handle'],
  ['links', 'towards, source'],
  ['named_keys', 'name, version'],
  ['tombstones', 'handle'],
] as const;

export function tenantEndOf(keyring: Keyring, keks: Keks) {
  const count = (table: string, what: string, tenant: string) =>
    Number(
      keyring.get<{ count: number }>(
        `select count(${what}) as count from ${table} where tenant = ?`,
        tenant,
      )?.count ?? 0,
    );

  function census({ tenant }: Ask<'census'>): Census {
    return {
      people: count('subject_keys', 'distinct subject', tenant),
      keys: count('subject_keys', '*', tenant) + count('named_keys', '*', tenant),
      handles: count('handles', '*', tenant),
      links: count('links', '*', tenant),
    };
  }

  /**
   * Takes away the next rows. The keys that wrap the others go with the last of them: until then a
   * rotation that runs meanwhile finds everything in order.
   */
  function destroyTenant({ tenant }: Ask<'destroyTenant'>): { more: boolean; evict: Evict } {
    checkTenant(tenant);
    let more = false;
    for (const [table, columns] of HOLDINGS) {
      const gone = keyring.run(
        `delete from ${table} where tenant = ? and (${columns}) in
           (select ${columns} from ${table} where tenant = ? limit ${BATCH_ROWS})`,
        ...[tenant, tenant],
      );
      more ||= gone === BATCH_ROWS;
    }
    if (!more) {
      // A service of this name that comes later has new keys, under the same names.
      keyring.run('delete from destroyed_names where tenant = ?', tenant);
      keks.destroyTenant(tenant);
      keyring.destroyed('all');
    }
    return { more, evict: { tenant, subjects: [], names: [], all: true } };
  }

  return { census, destroyTenant };
}
