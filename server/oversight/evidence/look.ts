import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { Problem } from '#base/problem';
import type { Look } from '#core/looking';
import type { PolicyInForce } from '#core/policy';
import { readHeartbeats } from '#platform/jobs';
import { openCanaries } from './canaries.ts';
import { plantBackdated } from './canary-import.ts';
import { noteCanaries, noteSubject } from './canary-store.ts';
import type { Ground } from './ground.ts';
import { openPage } from './page.ts';
import { asServer } from './server-login.ts';
import { speakerTo } from './wire.ts';

const JOB_WITHIN_MS = 30_000;
const JOB_EVERY_MS = 200;

/** Asks for a standing job, as its schedule would, and waits for its heartbeat. */
async function runJob(
  sql: postgres.Sql,
  name: string,
  { waitMs, signal }: { waitMs: number; signal: AbortSignal },
): Promise<void> {
  const beat = async () => {
    const found = (await readHeartbeats(sql)).find(({ job }) => job === name);
    return { started: found?.lastStarted.getTime() ?? 0, done: found?.lastDone?.getTime() ?? 0 };
  };
  // A run that is under way began before the question: what it passed by is not looked at again.
  const before = await beat();
  await sql`select troth_sec.enqueue(${name}, '{}'::json, 1, now(), ${`proof.${name}`})`;
  for (const end = performance.now() + waitMs; performance.now() < end; ) {
    const { started, done } = await beat();
    if (started > before.started && done >= started) return;
    await sleep(JOB_EVERY_MS, undefined, { signal });
  }
  throw new Error(`${name} was not done in time`);
}

/** What the engine refuses is an answer; that it did not answer is none. */
async function askAs<Row>(
  { reader }: Ground,
  login: number,
  statement: string,
  params: Record<string, unknown> = {},
): Promise<{ rows: Row[] } | { refused: number }> {
  try {
    return { rows: await reader.query<Row>(login, statement, params) };
  } catch (thrown) {
    const code = thrown instanceof Problem ? thrown.fields['engineCode'] : undefined;
    if (typeof code !== 'number') throw thrown;
    return { refused: code };
  }
}

/** Makes the look of one proof at one service. */
export function lookAt(ground: Ground, service: PolicyInForce, signal: AbortSignal): Look {
  const { outlook, sql, events, keys, keeper } = ground;
  const { dataDir: data, keyringDir: keyring, keyringCopyDir: keyringCopy } = outlook;
  const { tenant, policy, revision, hash } = service;
  const http = speakerTo(outlook.url, { signal });
  const cookie = { cookie: `troth_operator=${outlook.operatorToken}` };
  const keyOf = (id: PolicyInForce['tenant']) => outlook.writeKeys[id] ?? '';
  const query: Look['query'] = (statement, params = {}) => events.query(statement, params);
  const canaries = openCanaries({
    tenant,
    policy,
    revision,
    query,
    keys,
    http,
    signal,
    note: (messages) => noteCanaries(sql, ground.people(tenant).seed, { tenant, messages }),
    noteSubject: (subject) => noteSubject(sql, ground.people(tenant).seed, { tenant, subject }),
    person: () => ground.people(tenant).next(),
    backdated: (...given) => plantBackdated(ground, service, given),
    writeKey: keyOf(tenant),
  });
  const [plain, secure] = [new URL(outlook.url), new URL(outlook.secureUrl)];
  const pages = { url: outlook.url, get: http, signal, note: canaries.note };
  return {
    tenant,
    policy,
    revision,
    hash,
    signal,
    http,
    sql,
    query,
    keys,
    keeper,
    asServer: (of, work) => asServer(ground.login, of, work),
    queryAs: (login, statement, params) => askAs(ground, login, statement, params),
    operator: speakerTo(outlook.url, { always: cookie, signal }),
    plain: { host: plain.hostname, port: Number(plain.port || 80) },
    tls: {
      host: secure.hostname,
      port: Number(secure.port || 443),
      authority: outlook.authority,
    },
    async now() {
      const [row] = await sql<{ now: Date }[]>`select clock_timestamp() as now`;
      return row?.now ?? new Date(Number.NaN);
    },
    writeKey: keyOf(tenant),
    spareKey: outlook.spareKeys[tenant] ?? '',
    others: ground.services
      .filter((other) => other.tenant !== tenant)
      .map((other) => ({
        tenant: other.tenant,
        writeKey: keyOf(other.tenant),
        person: () => ground.people(other.tenant).next(),
      })),
    folders: { data, keyring, keyringCopy },
    canaries,
    page: (options) => openPage({ ...pages, writeKey: outlook.pageKeys[tenant] ?? '' }, options),
    job: (name, waitMs = JOB_WITHIN_MS) => runJob(sql, name, { waitMs, signal }),
    bytes: ground.bytes,
    once: (name, work) =>
      ground.once(`${tenant} ${name}`, (whole) => work(lookAt(ground, service, whole))),
  };
}
