/** Erasures over a test world: the real keeper, journal, consents and ingest, on scratch files. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyId, type PurposeId, type TenantId } from '#base/ids';
import { type Journal, openJournal, readJournal } from '#core/audit';
import { type Keys, openKeys, openSigner } from '#core/keys';
import type { Actor } from '#core/policy';
import { type Consent, consentDomain, createConsent, type Handle } from '#domains/consent';
import {
  type Asker,
  type ErasureDeps,
  type ErasureStore,
  eventsStore,
  type Hidden,
  jobsStore,
  openHidden,
  openRights,
  type Rights,
  tablesStore,
} from '#domains/rights';
import { prepareJobs } from '#platform/jobs';
import { openKeeper, startKeeper } from '#platform/keeper';
import { silentLog } from '#platform/log';
import type { World } from './world.ts';

export type RightsDesk = {
  readonly rights: Rights;
  readonly keys: Keys;
  readonly consent: Consent;
  readonly hidden: Hidden;
  readonly journal: Journal;
  readonly journalFile: string;
  asker(tenant?: TenantId): Asker;
  /** Makes a person known by a decision of theirs, so that there is a key and a receipt. */
  meet(handle: Handle, tenant?: TenantId): Promise<void>;
  /** What a restart does: a new domain over the same world, after the journal was replayed. */
  reopen(more?: Partial<ErasureDeps> & { again?: boolean }): Promise<Rights>;
  close(): Promise<void>;
};

const OPERATOR: Actor = { kind: 'operator', id: KeyId('operator') };

/** Engines of a world are shared, so their files are searched in journeys only. */
const ELSEWHERE = ['clickhouse', 'postgresql', 'postgresql-log', 'audit-log'];

export async function openRightsDesk(
  world: World,
  more: Partial<ErasureDeps> & { readonly first?: readonly ErasureStore[] } = {},
): Promise<RightsDesk> {
  const { db, events, policies, clock } = world;
  const folder = mkdtempSync(join(tmpdir(), 'rights-'));
  const [keyringDir, dataDir] = [join(folder, 'keys'), join(folder, 'data')];
  mkdirSync(join(dataDir, 'log'), { recursive: true });
  await prepareJobs(db);
  const given = { keyringDir, runtimeDir: folder, create: true, log: silentLog };
  const child = await startKeeper(given);
  const keeper = openKeeper(child.socketPath);
  const keys = openKeys({ keeper, clock });
  for (const tenant of world.tenants) await keys.prepare(tenant);
  const journalFile = join(folder, 'forget.journal');
  const journal = await openJournal(journalFile);
  const consent = await createConsent({ db, keys, policies, journal, clock, log: silentLog });
  const hidden = await openHidden(db);
  const clickhouse = eventsStore(events);
  const { first = [], ...changed } = more;
  const deps: ErasureDeps = {
    db,
    keys,
    policies,
    journal,
    clock,
    hidden,
    log: silentLog,
    events: clickhouse,
    signer: await openSigner(keeper),
    stores: [
      ...first,
      clickhouse,
      tablesStore({ db, clock, domains: [consentDomain] }),
      jobsStore(db),
    ],
    places: { dataDir, keyringDirs: [keyringDir], auditDirs: [], elsewhere: ELSEWHERE },
    plant(marker) {
      for (const file of ['control', 'log/control']) writeFileSync(join(dataDir, file), marker);
    },
    ...changed,
  };
  let rights = await openRights(deps);
  const asker = (tenant = world.tenant) => ({ inForce: policies.inForce(tenant), actor: OPERATOR });
  return {
    keys,
    consent,
    hidden,
    journal,
    journalFile,
    asker,
    get rights() {
      return rights;
    },
    async meet(handle, tenant = world.tenant) {
      const asked = { ...asker(tenant), handle };
      const purpose = 'statistics' as string as PurposeId;
      await consent.record(asked, [{ purpose, granted: true, method: 'single' }]);
    },
    async reopen({ again = false, ...other } = {}) {
      await rights.close();
      rights = await openRights({ ...deps, ...other });
      await rights.replay({
        entries: await readJournal(journalFile),
        replayWithdrawals: (tenant, some) => consent.replay(tenant, some),
        again,
      });
      await rights.resume();
      return rights;
    },
    async close() {
      await rights.close();
      await consent.close();
      keys.close();
      keeper.close();
      await journal.close();
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
