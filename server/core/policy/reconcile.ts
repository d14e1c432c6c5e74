/**
 * What stands in the engines for purposes is made what this code makes of the revision in force: an
 * update may show a purpose less or more than the code that applied the revision did, and somebody
 * may have changed a view by hand.
 */
import { readPolicy } from '@troth/policy-language';
import type { TenantId } from '#base/ids';
import { Word } from '#base/ids';
import { lacksLogins, mendPurposes, readStanding, takeLogins } from '#core/tenancy';
import { type Database, logThrown } from '#platform/database';
import type { Events } from '#platform/events';
import type { Log } from '#platform/log';
import type { PolicyInForce } from './in-force.ts';
import { readInForce } from './store.ts';
import { aloneInPolicy } from './turns-store.ts';

type Engines = { readonly db: Database; readonly events: Events; readonly log: Log };

/** A statement that an engine refuses is counted; the others are run, and the proofs say the rest. */
async function mend({ db, events, log }: Engines, tenant: TenantId): Promise<void> {
  const [stored] = await readInForce(db.admin, tenant);
  const policy = stored && readPolicy(stored.source, { file: `${tenant}.yaml` }).policy;
  if (!policy) return;
  await takeLogins(db, tenant, Object.keys(policy.compiled.purposes));
  const standing = await readStanding({ db, events }, [tenant]);
  let [statements, refused] = [0, 0];
  for (const { engine, statement } of mendPurposes(tenant, policy, standing)) {
    statements++;
    try {
      if (engine === 'clickhouse') await events.command(statement);
      else await db.admin.unsafe(statement);
    } catch {
      refused++;
    }
  }
  log('purposes.mended', { tenant, statements, refused });
}

/**
 * Compares what both engines hold for purposes with the policies in force, and runs the statements
 * for the difference. Where there is none, five questions are all it costs.
 *
 * @throws Problem events-unavailable.
 */
export async function reconcilePurposes(
  engines: Engines,
  inForce: readonly Pick<PolicyInForce, 'tenant' | 'policy'>[],
): Promise<void> {
  const tenants = inForce.map(({ tenant }) => tenant);
  const standing = await readStanding(engines, tenants);
  for (const { tenant, policy } of inForce) {
    const stands = mendPurposes(tenant, policy, standing).length === 0;
    if (stands && !lacksLogins(tenant, policy, standing)) continue;
    const { db } = engines;
    await aloneInPolicy(db, tenant, () => mend(engines, tenant)).catch((thrown: unknown) =>
      logThrown(engines.log, Word('policy.reconcile'), thrown),
    );
  }
}
