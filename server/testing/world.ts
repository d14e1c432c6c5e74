/**
 * A world for one test file: real engines, a database of its own, and tenants of its own with a
 * policy in force. Nothing in it is a mock.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import type { Sql } from 'postgres';
import { type Clock, movableClock } from '#base/clock';
import { KeyId, type PurposeId, SubjectId, TenantId } from '#base/ids';
import { type Actor, applyPolicy, openPolicies, type Policies } from '#core/policy';
import { eventsDatabaseOf, inTenant, type TenantTx } from '#core/tenancy';
import { connect, type Database, openDatabase, withDatabase } from '#platform/database';
import { type Events, openEvents } from '#platform/events';
import { silentLog } from '#platform/log';
import { testEngines } from './engines.ts';
import { samplePolicy } from './sample-policy.ts';

const OPERATOR: Actor = { kind: 'operator', id: KeyId('testworld') };

export type WorldOptions = {
  /** Documents to apply; each gets a service id of its own. Default: the sample policy, once. */
  readonly policies?: readonly ((service: string) => string)[];
  /** What the clock shows. Default: now. */
  readonly start?: Date;
  /** Runs when the world is open, before the first test; a `before` of the file may be too early. */
  readonly setUp?: (world: World) => Promise<void>;
};

export type World = {
  readonly db: Database;
  readonly events: Events;
  readonly policies: Policies;
  readonly clock: Clock & { advance(milliseconds: number): void };
  readonly tenants: readonly TenantId[];
  /** The first tenant. */
  readonly tenant: TenantId;
  readonly operator: Actor;
  readonly postgresUrl: string;
  readonly clickhouseUrl: string;
  /** A new person: an opaque id. */
  person(): SubjectId;
  /** Runs in the first tenant, or in the one named. */
  inTenant<T>(
    work: (tx: TenantTx) => Promise<T>,
    scope?: { tenant?: TenantId; purpose?: PurposeId },
  ): Promise<T>;
  apply(text: string, prose?: string): ReturnType<typeof applyPolicy>;
};

/** Every file that a prepared database depends on. */
function templateName(): string {
  const root = join(import.meta.dirname, '..', 'migrations');
  const hash = createHash('sha256');
  const folder = join(root, 'control');
  for (const file of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, file)));
  return `template_${hash.digest('hex').slice(0, 16)}`;
}

const TEMPLATE_LOCK = 7_076_100;

/**
 * Makes the template once for all test files, with a fixed secret: the login of the server belongs
 * to the whole engine, and two templates with two secrets would change its password in turn.
 */
async function makeTemplate(url: string): Promise<string> {
  const name = templateName();
  const admin = connect(url, { max: 1 });
  try {
    await admin`select pg_advisory_lock(${TEMPLATE_LOCK})`;
    const found = await admin`select 1 from pg_database where datname = ${name}`;
    if (found.length > 0) return name;
    const building = `${name}_new`;
    await admin.unsafe(`drop database if exists ${building}`);
    await admin.unsafe(`create database ${building}`);
    const fresh = connect(withDatabase(url, building), { max: 1 });
    const prepared = await openDatabase({ url: withDatabase(url, building), log: silentLog });
    await prepared.close();
    await fresh.unsafe(`
      with fixed as (
        select context, troth_sec.hmac(troth_sec.pad(context, 54), troth_sec.pad(context, 92),
                                       'troth/v1/context'::bytea) as key
        from (select sha256('the context key of every test'::bytea) as context) as secret
      )
      update troth_sec.secrets
      set context = fixed.context,
          inner_pad = troth_sec.pad(key, 54),
          outer_pad = troth_sec.pad(key, 92)
      from fixed`);
    await fresh.end();
    await admin.unsafe(`alter database ${building} rename to ${name}`);
    return name;
  } finally {
    await admin.end();
  }
}

async function makeDatabase(url: string): Promise<{ name: string; url: string }> {
  const template = await makeTemplate(url);
  const name = `world_${randomBytes(6).toString('hex')}`;
  await asOwner(url, (admin) => admin.unsafe(`create database ${name} template ${template}`));
  return { name, url: withDatabase(url, name) };
}

async function asOwner(url: string, work: (admin: Sql) => Promise<unknown>): Promise<void> {
  const admin = connect(url, { max: 1 });
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

type Opened = World & { close(): Promise<void> };

/** What a failure leaves half open is closed: a test that cannot begin ends at once. */
async function openWorld(options: WorldOptions): Promise<Opened> {
  await using stack = new AsyncDisposableStack();
  const engines = stack.adopt(await testEngines(), (held) => held.release());
  const { name, url } = await makeDatabase(engines.postgresUrl);
  stack.defer(() =>
    asOwner(engines.postgresUrl, (admin) =>
      admin.unsafe(`drop database if exists ${name} with (force)`),
    ),
  );
  const opening = openDatabase({ url, log: silentLog, connectionsMax: 6 });
  const db = stack.adopt(await opening, (open) => open.close());
  const events = stack.adopt(openEvents(engines.clickhouseUrl), (open) => open.close());
  const clock = movableClock(options.start ?? new Date());
  const apply = (text: string, prose?: string) =>
    applyPolicy(db, events, {
      text,
      file: 'sample.yaml',
      actor: OPERATOR,
      now: clock.now(),
      sameVersion: true,
      ...(prose === undefined ? {} : { prose }),
    });
  const policies = stack.adopt(await openPolicies(db, { log: silentLog }), (open) => open.close());
  const tenants: TenantId[] = [];
  const run = randomBytes(4).toString('hex');
  for (const [index, document] of (options.policies ?? [samplePolicy]).entries()) {
    const tenant = TenantId(`t${index}-${run}`);
    stack.defer(() => events.command(`drop database if exists ${eventsDatabaseOf(tenant)} sync`));
    await apply(document(tenant));
    await policies.refresh(tenant);
    tenants.push(tenant);
  }
  const tenant = tenants[0] ?? TenantId('nobody');
  const world: World = {
    db,
    events,
    policies,
    clock,
    tenants,
    tenant,
    apply,
    operator: OPERATOR,
    postgresUrl: url,
    clickhouseUrl: engines.clickhouseUrl,
    person: () => SubjectId(randomBytes(16).toString('hex')),
    inTenant: (work, scope = {}) => inTenant(db, { tenant, now: clock.now(), ...scope }, work),
  };
  const close = stack.move();
  return Object.assign(world, { close: () => close.disposeAsync() });
}

/**
 * Opens the world before the file's first test and closes it after the last. Its members may be
 * read inside tests only.
 */
export function useWorld(options: WorldOptions = {}): World {
  let opened: Opened | undefined;
  before(async () => {
    opened = await openWorld(options);
    await options.setUp?.(opened);
  });
  after(() => opened?.close());
  return new Proxy({} as World, {
    get(_, name) {
      if (!opened) throw new Error('the world is open inside tests only');
      return Reflect.get(opened, name) as unknown;
    },
  });
}
