/**
 * What a development start prints and keeps: the address, the operator's link, and one write key for
 * each service. In `development.json`, mode 0600, beside the data.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appendAudit } from '#core/audit';
import { authorize, type Policies } from '#core/policy';
import { type Ingest, issueWriteKey } from '#domains/ingest';
import type { Database } from '#platform/database';
import type { Operator } from './edges/http/index.ts';
import { STARTER } from './tenants.ts';

export type Development = {
  url: string;
  secureUrl: string;
  /** Works once. */
  operatorLink: string;
  /** A session of the operator, for the command line. */
  operatorToken: string;
  writeKeys: Record<string, string>;
};

type Given = {
  dataDir: string;
  url: string;
  secureUrl: string;
  db: Database;
  ingest: Ingest;
  policies: Policies;
  operator: Operator;
  now: Date;
};

/** Keeps the keys of an earlier start that still work, and issues what is missing. */
export async function writeDevelopment(given: Given): Promise<Development> {
  const { dataDir, url, secureUrl, db, ingest, policies, operator, now } = given;
  const file = join(dataDir, 'development.json');
  const earlier = readKeys(file);
  const writeKeys: Record<string, string> = {};
  for (const tenant of policies.tenants().sort()) {
    const kept = earlier[tenant];
    if (kept && (await opens(ingest, kept, tenant))) {
      writeKeys[tenant] = kept;
      continue;
    }
    const permit = authorize(policies.inForce(tenant), STARTER, 'write-key.issue');
    writeKeys[tenant] = await db.sql.begin(async (tx) => {
      const issued = await issueWriteKey(tx, permit, { origins: ['*'], now });
      await appendAudit(Object.assign(tx, { now }), permit, {
        event: 'write-key.issued',
        fields: { key: issued.id },
      });
      return issued.text;
    });
  }
  const { cookie } = await operator.enter(await operator.newLink());
  const operatorLink = `${url}/operator?token=${await operator.newLink()}`;
  const development = { url, secureUrl, operatorLink, operatorToken: cookie, writeKeys };
  writeFileSync(file, `${JSON.stringify(development, null, 2)}\n`, { mode: 0o600 });
  return development;
}

async function opens(ingest: Ingest, text: string, tenant: string): Promise<boolean> {
  try {
    return (await ingest.keys.check(text)).tenant === tenant;
  } catch {
    return false; // Revoked, or of another data directory: a new one is issued.
  }
}

function readKeys(file: string): Record<string, string> {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as Partial<Development>).writeKeys ?? {};
  } catch {
    return {}; // The first start.
  }
}

export function greetingOf({ url, operatorLink, secureUrl, writeKeys }: Development): string {
  const keys = Object.entries(writeKeys).map(([tenant, key]) => `  ${tenant.padEnd(12)} ${key}`);
  return [
    '',
    `Troth is ready        ${url}`,
    `Operator’s link, once ${operatorLink}`,
    `TLS 1.3               ${secureUrl}`,
    '',
    'Write keys, also in development.json:',
    ...keys,
    '',
    'npm run demo sends a recorded day of events. Ctrl-C stops everything.',
  ].join('\n');
}
