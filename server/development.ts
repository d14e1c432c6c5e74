/**
 * What a development start prints and keeps: the address, the operator's link, and for each service
 * a write key of servers and one of pages. In `development.json`, mode 0600, beside the data.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appendAudit } from '#core/audit';
import { authorize, type Policies } from '#core/policy';
import { type Ingest, issueWriteKey, type KeyKind, kindOf } from '#domains/ingest';
import type { Database } from '#platform/database';
import type { KeeperStatus } from '#platform/keeper';
import { type Operator, SESSION_SECONDS } from './edges/http/index.ts';
import { STARTER } from './tenants.ts';

export type Development = {
  url: string;
  secureUrl: string;
  /** Where people reach it from elsewhere. */
  publicUrl?: string | undefined;
  /** Works once. */
  operatorLink: string;
  /** A session of the operator, for the command line. */
  operatorToken: string;
  /** Of servers: secret, and refused in a browser. */
  writeKeys: Record<string, string>;
  /** Of pages, whatever their origin: anybody may read them there. */
  browserKeys: Record<string, string>;
};

type Given = {
  dataDir: string;
  url: string;
  secureUrl: string;
  publicUrl: string | undefined;
  db: Database;
  ingest: Ingest;
  policies: Policies;
  operator: Operator;
  now: Date;
};

/** Keeps the keys of an earlier start that still work, and issues what is missing. */
export async function writeDevelopment(given: Given): Promise<Development> {
  const { dataDir, url, secureUrl, publicUrl, operator } = given;
  const earlier = readEarlier(fileIn(dataDir));
  const writeKeys = await keysOf(given, 'server', earlier.writeKeys);
  const browserKeys = await keysOf(given, 'browser', earlier.browserKeys);
  const { cookie } = await operator.enter(await operator.newLink());
  const operatorLink = `${publicUrl ?? url}/operator?token=${await operator.newLink()}`;
  const session = { url, secureUrl, publicUrl, operatorLink, operatorToken: cookie };
  const development = { ...session, writeKeys, browserKeys };
  write(dataDir, development);
  return development;
}

/**
 * Renews the command line's session before it ends, for as long as the server runs: whoever may
 * read the file is the operator, and can make a new link when theirs is lost.
 */
export function keepSession(given: Given, development: Development): () => void {
  const { dataDir, operator } = given;
  let token = development.operatorToken;
  async function renew(): Promise<void> {
    const before = token;
    ({ cookie: token } = await operator.enter(await operator.newLink()));
    write(dataDir, { ...development, operatorToken: token });
    await operator.leave(before);
  }
  // With the database away the session before goes on; the next turn is early enough.
  const again = () => void renew().catch(() => undefined);
  const timer = setInterval(again, (SESSION_SECONDS * 1_000) / 3);
  timer.unref();
  return () => clearInterval(timer);
}

const fileIn = (dataDir: string) => join(dataDir, 'development.json');

function write(dataDir: string, development: Development): void {
  const file = fileIn(dataDir);
  const text = `${JSON.stringify(development, null, 2)}\n`;
  writeFileSync(`${file}.new`, text, { mode: 0o600, flush: true });
  // Whoever reads it meanwhile reads the one before, whole.
  renameSync(`${file}.new`, file);
}

async function keysOf(
  { db, ingest, policies, now }: Given,
  kind: KeyKind,
  earlier: Record<string, string> = {},
): Promise<Record<string, string>> {
  const keys: Record<string, string> = {};
  for (const tenant of policies.tenants().sort()) {
    const kept = earlier[tenant];
    if (kept && (await opens(ingest, kept, { tenant, kind }))) {
      keys[tenant] = kept;
      continue;
    }
    const permit = authorize(policies.inForce(tenant), STARTER, 'write-key.issue');
    keys[tenant] = await db.sql.begin(async (tx) => {
      const origins = kind === 'browser' ? { origins: ['*'] } : {};
      const issued = await issueWriteKey(tx, permit, { ...origins, now });
      await appendAudit(Object.assign(tx, { now }), permit, {
        event: 'write-key.issued',
        fields: { key: issued.id, browser: kind === 'browser' },
      });
      return issued.text;
    });
    await opens(ingest, keys[tenant] ?? '', { tenant, kind });
  }
  return keys;
}

async function opens(
  ingest: Ingest,
  text: string,
  wanted: { tenant: string; kind: KeyKind },
): Promise<boolean> {
  try {
    const key = await ingest.keys.check(text);
    return key.tenant === wanted.tenant && kindOf(key) === wanted.kind;
  } catch {
    return false; // Revoked, or of another data directory: a new one is issued.
  }
}

function readEarlier(file: string): Partial<Development> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Partial<Development>;
  } catch {
    return {}; // The first start.
  }
}

const KIT = 'npm run troth -- keys recovery-kit --out recovery-kit.txt';
const COPY = 'TROTH_KEYRING_COPY_DIR=/another/disk/troth-keys npm start';

/** Loud, at each start for as long as it is so: nobody can mend it after the disk is gone. */
export function warningOf({ durabilityGaps: gaps, recovery }: KeyRisk): string[] {
  if (gaps.length === 0) return [];
  const needsCopy = gaps.length > (recovery ? 0 : 1);
  return [
    '',
    '▲ The keys could be lost, and with them everything that they seal:',
    ...gaps.map((gap) => `    ${gap}`),
    '  Nobody can bring it back afterwards. Now:',
    ...(needsCopy ? [`    ${COPY}`] : []),
    ...(recovery ? [] : [`    ${KIT}`, '    Print the kit, and keep it apart from the keyring.']),
  ];
}

/** Without a kit one of the gaps says so; each other one is of a copy or of its place. */
type KeyRisk = Pick<KeeperStatus, 'durabilityGaps' | 'recovery'>;

/** What a start says, once everything stands. */
export function greetingOf(
  { url, operatorLink, secureUrl, writeKeys }: Development,
  risk: KeyRisk,
): string {
  const keys = Object.entries(writeKeys).map(([tenant, key]) => `  ${tenant.padEnd(12)} ${key}`);
  return [
    '',
    `Troth is ready        ${url}`,
    `Operator’s link, once ${operatorLink}`,
    `TLS 1.3               ${secureUrl}`,
    '',
    'Write keys of servers (those of pages are beside them in development.json):',
    ...keys,
    ...warningOf(risk),
    '',
    'npm run demo sends a recorded day of events. Ctrl-C stops everything.',
  ].join('\n');
}
