/** The evidence, wired: where the prover looks from, and the keys that it sends canaries with. */
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import { KeyId, type TenantId } from '#base/ids';
import { appendAudit } from '#core/audit';
import { authorize, type Policies } from '#core/policy';
import { issueWriteKey, revokeWriteKey } from '#domains/ingest';
import {
  dropVerificationKey,
  type Evidence,
  noteVerificationKey,
  type Outlook,
  openEvidence,
  proveInProcess,
  readVerificationKeys,
} from '#oversight/evidence';
import type { Log } from '#platform/log';
import type { Operator } from './edges/http/index.ts';
import type { Foundation } from './foundation.ts';
import { STARTER } from './tenants.ts';

const PROGRAM = join(import.meta.dirname, 'prover.ts');

type Given = Pick<Foundation, 'db' | 'clickhouseUrl' | 'keeperSocket'> & {
  readonly policies: Policies;
  readonly clock: Clock;
  readonly log: Log;
  readonly operator: Operator;
  readonly config: { dataDir: string; keyringDir: string; proveEveryMs: number };
  readonly url: string;
  readonly secureUrl: string;
  /** PEM. */
  readonly authority: string;
};

/** Revokes the keys of earlier starts: their texts were in memory only. */
async function revokeEarlier({ db, policies, clock }: Given): Promise<void> {
  for (const { keyId, tenant } of await readVerificationKeys(db.sql)) {
    const inForce = policies.find(tenant);
    if (inForce) {
      const permit = authorize(inForce, STARTER, 'write-key.revoke');
      await revokeWriteKey(db.sql, permit, KeyId(keyId), clock.now());
    }
    await dropVerificationKey(db.sql, keyId);
  }
}

async function issueKey({ db, policies, clock }: Given, tenant: TenantId): Promise<string> {
  const permit = authorize(policies.inForce(tenant), STARTER, 'write-key.issue');
  const now = clock.now();
  return db.sql.begin(async (tx) => {
    const { id, text } = await issueWriteKey(tx, permit, { now });
    await noteVerificationKey(tx, id, tenant);
    const act = { event: 'write-key.issued', fields: { key: id, verification: true } } as const;
    await appendAudit(Object.assign(tx, { now }), permit, act);
    return text;
  });
}

/** Opens the evidence of this server; its first round begins at once. */
export async function wireEvidence(given: Given): Promise<Evidence> {
  const { db, policies, clock, log, operator, config } = given;
  await revokeEarlier(given);
  const writeKeys: Record<string, string> = {};

  async function outlook(operatorToken: string): Promise<Outlook> {
    for (const tenant of policies.tenants()) writeKeys[tenant] ??= await issueKey(given, tenant);
    const { url, secureUrl, authority, clickhouseUrl, keeperSocket } = given;
    const { dataDir, keyringDir } = config;
    return {
      ...{ url, secureUrl, authority, clickhouseUrl, keeperSocket, dataDir, keyringDir },
      ...{ operatorToken, writeKeys, postgresUrl: db.adminUrl },
    };
  }

  return openEvidence({
    ...{ db, policies, clock, log },
    everyMs: config.proveEveryMs,
    async *run(wanted) {
      const { cookie } = await operator.enter(await operator.newLink());
      try {
        yield* proveInProcess(PROGRAM, { outlook: await outlook(cookie), wanted });
      } finally {
        await operator.leave(cookie);
      }
    },
  });
}
