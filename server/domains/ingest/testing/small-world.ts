/** The path from a socket to a table on real engines: the keeper, consents, both databases. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyId, type PurposeId, type TenantId } from '#base/ids';
import { openJournal } from '#core/audit';
import { type Handle, type Keys, openKeys, type SubjectKey } from '#core/keys';
import { authorize } from '#core/policy';
import { type Consent, createConsent } from '#domains/consent';
import { openKeeper, startKeeper } from '#platform/keeper';
import { openLocation } from '#platform/location';
import { silentLog } from '#platform/log';
import type { World } from '#testing/world';
import { type Ingest, type IngestOptions, issueWriteKey, openIngest } from '../index.ts';

export type Door = {
  readonly ingest: Ingest;
  readonly keys: Keys;
  readonly consent: Consent;
  /** Writes a decision as a person takes it. */
  decide(tenant: TenantId, handle: Handle, purpose: string, granted: boolean): Promise<void>;
  person(tenant: TenantId, handle: Handle): Promise<SubjectKey>;
  readonly minors: Handle[];
  readonly url: string;
  readonly server: Server;
  /** A server's key. */
  keyOf(tenant: TenantId): string;
  /** A key of pages of any origin. */
  pageKeyOf(tenant: TenantId): string;
  send(path: string, body: unknown, more?: SendOptions): Promise<Answer>;
  rows<Row>(tenant: TenantId, table: string): Promise<Row[]>;
  close(): Promise<void>;
};

export type SendOptions = {
  readonly key?: string | undefined;
  readonly headers?: Record<string, string>;
  readonly method?: string;
};
export type Answer = { status: number; body: Record<string, unknown>; headers: Headers };

type Standing = { keys: Keys; consent: Consent; end(): Promise<void> };

/** The keeper and the consents that a door stands on. */
async function openStanding({ clock, db, policies }: World): Promise<Standing> {
  const folder = mkdtempSync(join(tmpdir(), 'ingest-'));
  const given = { keyringDir: join(folder, 'a'), copyDir: join(folder, 'b'), runtimeDir: folder };
  const keeper = await startKeeper({ ...given, create: true, log: silentLog });
  const keys = openKeys({ keeper: openKeeper(keeper.socketPath), clock });
  const journal = await openJournal(join(folder, 'journal'));
  const log = silentLog;
  const consent = await createConsent({ db, keys, policies, journal, clock, log });
  return {
    keys,
    consent,
    async end() {
      await consent.close();
      keys.close();
      await journal.close();
      await keeper.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Opens the ingest path of a world on a free port of loopback, with a write key per tenant.
 *
 * @param beside  a door whose keeper this one shares, as a second server would.
 */
export async function openDoor(
  world: World,
  more: Partial<IngestOptions> = {},
  beside?: Door,
): Promise<Door> {
  const { clock, policies } = world;
  const standing = beside ? { ...beside, end: async () => undefined } : await openStanding(world);
  const { keys, consent } = standing;
  const minors: Handle[] = [];
  const writeKeys = new Map<string, string>();
  const pageKeys = new Map<string, string>();
  for (const tenant of world.tenants) {
    const permit = authorize({ tenant, revision: 1 }, world.operator, 'write-key.issue');
    const { sql } = world.db;
    const now = clock.now();
    writeKeys.set(tenant, (await issueWriteKey(sql, permit, { now })).text);
    pageKeys.set(tenant, (await issueWriteKey(sql, permit, { origins: ['*'], now })).text);
  }
  const ingest = await openIngest({
    db: world.db,
    events: world.events,
    policies: world.policies,
    log: silentLog,
    keys,
    consent,
    location: await openLocation(),
    addressOf: (request) => String(request.headers['x-test-address'] ?? '8.8.8.8'),
    reportMinor: (_tenant, handle) => minors.push(handle),
    waitMs: 20,
    ...more,
  });
  const server = createServer((request, response) => {
    if (!ingest.handler(request, response)) response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const keyOf = (tenant: TenantId) => writeKeys.get(tenant) ?? '';
  const pageKeyOf = (tenant: TenantId) => pageKeys.get(tenant) ?? '';
  return {
    ingest,
    keys,
    consent,
    minors,
    url,
    server,
    keyOf,
    pageKeyOf,
    async send(path, body, { key = keyOf(world.tenant), headers = {}, method = 'POST' } = {}) {
      const raw = typeof body === 'string' || Buffer.isBuffer(body);
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: {
          'content-type': 'application/json',
          ...(key && { authorization: `Bearer ${key}` }),
          ...headers,
        },
        ...(method === 'POST' && { body: raw ? (body as string) : JSON.stringify(body) }),
      });
      const text = await answer.text();
      const read = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
      return { status: answer.status, body: read, headers: answer.headers };
    },
    async decide(tenant, handle, purpose, granted) {
      const actor = { kind: 'write-key', id: KeyId('testDoor'), tenant } as const;
      const asked = { inForce: policies.inForce(tenant), actor, handle: handle as never };
      await consent.record(asked, [{ purpose: purpose as PurposeId, granted, method: 'single' }]);
    },
    async person(tenant, handle) {
      const [found] = await keys.subjects(tenant, [handle], { create: true });
      if (!found) throw new Error('the person was erased');
      return found;
    },
    async rows<Row>(tenant: TenantId, table: string) {
      await ingest.drain();
      return world.events.query<Row>(
        'select *, hex(subject) as person from {database:Identifier}.{table:Identifier} order by received_at, name',
        { database: `tenant_${tenant.replaceAll('-', '_')}`, table },
      );
    },
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      await ingest.close();
      await standing.end();
    },
  };
}
