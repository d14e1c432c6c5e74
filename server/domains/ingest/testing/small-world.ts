/**
 * Keys and consents in memory, for the tests of single steps and of the path from a socket to a
 * table. The keeper's own tests prove the keeper; what is proven here is what ingest asks of it.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SubjectId, type TenantId } from '#base/ids';
import { authorize } from '#core/policy';
import { openLocation } from '#platform/location';
import { silentLog } from '#platform/log';
import type { World } from '#testing/world';
import {
  type ConsentPort,
  type Handle,
  type Ingest,
  type IngestOptions,
  issueWriteKey,
  type KeysPort,
  openIngest,
  type SubjectKey,
} from '../index.ts';

export class SmallKeys implements KeysPort {
  readonly known = new Map<string, SubjectKey>();
  readonly linked: [Handle, Handle][] = [];
  readonly #cached = new Set<string>();
  readonly #secret = randomBytes(32).toString('hex');
  trips = 0;

  #name = (tenant: string, { kind, value }: Handle) => `${tenant} ${kind} ${value}`;

  cached(tenant: TenantId, handle: Handle) {
    const name = this.#name(tenant, handle);
    return this.#cached.has(name) ? this.known.get(name) : undefined;
  }

  async subjects(tenant: TenantId, handles: readonly Handle[], create: boolean) {
    this.trips++;
    await new Promise((done) => setImmediate(done));
    return handles.map((handle) => {
      const name = this.#name(tenant, handle);
      if (!this.known.has(name) && create) this.known.set(name, newKey());
      if (this.known.has(name)) this.#cached.add(name);
      return this.known.get(name);
    });
  }

  async link(_tenant: TenantId, from: Handle, to: Handle) {
    this.linked.push([from, to]);
  }

  async shared(tenant: TenantId, type: string, day: number | undefined) {
    const [key] = await this.subjects(tenant, [{ kind: 'account', value: `${type} ${day}` }], true);
    return key as SubjectKey;
  }

  seal({ key, keyId }: SubjectKey, plaintext: Buffer, place: object) {
    const nonce = nextNonce();
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad(place));
    const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([Buffer.of(1), keyId, nonce, body, cipher.getAuthTag()]);
  }

  open({ key }: SubjectKey, frame: Buffer, place: object): string {
    const decipher = createDecipheriv('aes-256-gcm', key, frame.subarray(9, 21))
      .setAAD(aad(place))
      .setAuthTag(frame.subarray(-16));
    return decipher.update(frame.subarray(21, -16), undefined, 'utf8') + decipher.final('utf8');
  }

  hash(tenant: TenantId, purpose: string, text: string, day = 0) {
    const digest = hash('sha256', `${this.#secret}${tenant} ${purpose} ${day} ${text}`, 'hex');
    return {
      low: Number.parseInt(digest.slice(0, 8), 16),
      high: Number.parseInt(digest.slice(8, 16), 16),
    };
  }
}

let pool = randomBytes(12_000);
let used = 0;
function nextNonce(): Buffer {
  if (used === pool.length) {
    pool = randomBytes(12_000);
    used = 0;
  }
  used += 12;
  return pool.subarray(used - 12, used);
}

const aad = (place: object) => Buffer.from(JSON.stringify(place));
const newKey = (): SubjectKey => ({
  subject: SubjectId(randomBytes(16).toString('hex')),
  key: createSecretKey(randomBytes(32)),
  keyId: randomBytes(8),
});

/** Consents as a table: `${subject} ${purpose}` → the person's word. Purposes on by default listed. */
export class SmallConsent implements ConsentPort {
  readonly given = new Map<string, boolean>();
  readonly defaultOn = new Set<string>(['performance-monitoring']);
  load() {
    return undefined;
  }
  decide(_tenant: TenantId, subject: string | undefined, purpose: string) {
    return this.given.get(`${subject} ${purpose}`) ?? this.defaultOn.has(purpose);
  }
}

export type Door = {
  readonly ingest: Ingest;
  readonly keys: SmallKeys;
  readonly consent: SmallConsent;
  readonly minors: Handle[];
  readonly url: string;
  readonly server: Server;
  keyOf(tenant: TenantId): string;
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

/** Opens the ingest path of a world on a free port of loopback, with a write key per tenant. */
export async function openDoor(world: World, more: Partial<IngestOptions> = {}): Promise<Door> {
  const keys = new SmallKeys();
  const consent = new SmallConsent();
  const minors: Handle[] = [];
  const writeKeys = new Map<string, string>();
  for (const tenant of world.tenants) {
    const permit = authorize({ tenant, revision: 1 }, world.operator, 'write-key.issue');
    const { text } = await issueWriteKey(world.db.sql, permit, { origins: ['*'], now: new Date() });
    writeKeys.set(tenant, text);
  }
  const ingest = await openIngest({
    ...{ db: world.db, events: world.events, policies: world.policies, log: silentLog },
    ...{ keys, consent, location: await openLocation() },
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
  return {
    ...{ ingest, keys, consent, minors, url, server, keyOf },
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
    },
  };
}
