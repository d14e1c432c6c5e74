/** What only the operator may ask: what a document would change, changing it, and the keyring. */
import {
  blocksApply,
  type Finding,
  lint,
  type Policy,
  type PolicyPlan,
  planChange,
  readPolicy,
  rowsToCount,
  TEXT_LENGTH_MAX,
} from '@troth/policy-language';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { Clock } from '#base/clock';
import { Day, KeyId, Word } from '#base/ids';
import { Problem } from '#base/problem';
import { INSTALLATION, recordRefusal } from '#core/audit';
import {
  type Actor,
  type Applied,
  applyPolicy,
  judgePolicy,
  type Policies,
  type PolicyDraft,
  type PolicyInForce,
  reasonOf,
} from '#core/policy';
import { eventTablesOf } from '#core/tenancy';
import type { Database } from '#platform/database';
import type { Events } from '#platform/events';
import type { Log } from '#platform/log';
import { answerProblem } from './answers.ts';
import type { DomainRoutes, Edge } from './edge.ts';
import { httpProblem } from './errors.ts';
import { operatorOnly } from './tenant-routes.ts';

export type OperatorDeps = {
  db: Database;
  events: Events;
  policies: Policies;
  clock: Clock;
  log: Log;
  /** The audit entry of an apply, for its own transaction. */
  recordApplied(actor: Actor, now: Date): NonNullable<PolicyDraft['record']>;
  /** The keeper's own acts. */
  keys: {
    status(): Promise<unknown>;
    rotate(actor: Actor): Promise<unknown>;
    /** @param parts  splits it: any `threshold` of `shares` lines are enough. */
    recoveryKit(actor: Actor, parts?: KitParts): Promise<{ kit: string; lines: string[] }>;
  };
};

/** How long a document may be is for the language to say, and it says why. */
const Draft = z.strictObject({
  text: z.string(),
  prose: z.string().max(TEXT_LENGTH_MAX).optional(),
  reason: z.string().max(400).optional(),
  noticeGiven: z.iso.date().optional(),
  sameVersion: z.boolean().optional(),
});

const KitParts = z
  .strictObject({ shares: z.int().max(20), threshold: z.int().min(2) })
  .refine(({ shares, threshold }) => threshold <= shares);
export type KitParts = z.infer<typeof KitParts>;
const Kit = z.strictObject({ parts: KitParts.optional() });

/** What a document is called that came without a file. */
const FILE = 'policy.yaml';

export const OPERATOR: Actor = { kind: 'operator', id: KeyId('operator') };

/**
 * The body, when it is JSON of the right shape.
 *
 * JSON only: a form of another site cannot send it without asking first, and is then refused.
 */
export async function bodyAs<Body>(c: Context<Edge>, shape: z.ZodType<Body>): Promise<Body> {
  const isJson = c.req.header('content-type')?.split(';')[0]?.trim() === 'application/json';
  const read = isJson ? shape.safeParse(await c.req.json().catch(() => undefined)) : undefined;
  if (!read?.success)
    throw httpProblem('body-not-understood', 'Send JSON with the fields of this address only.');
  return read.data;
}

/**
 * A page of another port of this host is of the same site, so the cookie comes along: what browsers
 * say of where a request comes from decides. The command line says nothing, and is no page.
 */
export function sameOriginOnly(c: Context<Edge>): void {
  const origin = c.req.header('origin');
  const site = c.req.header('sec-fetch-site');
  const elsewhere =
    (origin !== undefined && origin !== c.var.origin) ||
    (site !== undefined && site !== 'same-origin' && site !== 'none');
  if (elsewhere) throw httpProblem('operator-only', 'Ask from the console or the command line.');
}

/**
 * Who asks, when it is the operator; undefined without an operator's session.
 *
 * @throws Problem operator-only: the session came along from a page of another origin;
 *         database-unavailable.
 */
export function operatorAsking(c: Context<Edge>): Actor | undefined {
  if (c.var.unseen) throw c.var.unseen;
  if (!c.var.operator) return undefined;
  if (c.req.method !== 'GET') sameOriginOnly(c);
  return OPERATOR;
}

/** The plan with the rows that a shorter limit would delete, counted where they are. */
async function planWithRows(
  { events, clock }: OperatorDeps,
  current: PolicyInForce | undefined,
  next: Policy,
): Promise<PolicyPlan> {
  const now = clock.now();
  const counts = new Map<string, number>();
  const declared = current ? eventTablesOf(current.tenant, current.policy) : [];
  for (const { data, cutoff } of rowsToCount(current?.policy, next, now)) {
    const table = declared.find(({ dataType }) => dataType === data);
    if (!current || !table) continue;
    const [row] = await events.query<{ rows: string }>(
      'select count() as rows from {database:Identifier}.{table:Identifier}' +
        ' where received_at < fromUnixTimestamp64Milli({cutoff:Int64})',
      {
        database: table.database,
        table: table.table,
        cutoff: cutoff.getTime(),
      },
    );
    counts.set(data, Number(row?.rows ?? 0));
  }
  return planChange(current?.policy, next, {
    now,
    rowsOlderThan: (data) => counts.get(data) ?? 0,
  });
}

/** Of a document with more errors the first say enough. */
const FINDINGS_MAX = 100;

/** What keeps a document from being applied. It repeats the words of who sent it: not to be logged. */
function openErrors({ text, prose }: z.infer<typeof Draft>): Finding[] {
  const { policy, findings } = readPolicy(text, { file: FILE });
  const all = policy ? lint(policy, prose) : findings;
  return all.filter((finding) => blocksApply([finding])).slice(0, FINDINGS_MAX);
}

/** Answers an act upon a document; where its errors forbid the act, with each of them. */
async function orItsErrors(
  c: Context<Edge>,
  draft: z.infer<typeof Draft>,
  act: () => Promise<Response>,
): Promise<Response> {
  try {
    return await act();
  } catch (thrown) {
    if (!(thrown instanceof Problem) || thrown.code !== 'policy-has-errors') throw thrown;
    return answerProblem(c, thrown, { findings: openErrors(draft) });
  }
}

/**
 * Applies; a refusal is on record before it is answered, in the log of the service if there is one.
 */
async function apply(deps: OperatorDeps, draft: z.infer<typeof Draft>): Promise<Applied> {
  const { db, events, policies, clock, log } = deps;
  const { text, prose, reason, noticeGiven, sameVersion } = draft;
  const now = clock.now();
  try {
    return await applyPolicy(
      db,
      events,
      {
        text,
        file: FILE,
        actor: OPERATOR,
        now,
        record: deps.recordApplied(OPERATOR, now),
        ...(prose === undefined ? {} : { prose }),
        reason: reasonOf(reason),
        ...(noticeGiven === undefined ? {} : { noticeGiven: Day(noticeGiven) }),
        ...(sameVersion === undefined ? {} : { sameVersion }),
      },
      log,
    );
  } catch (thrown) {
    if (thrown instanceof Problem) {
      const { policy } = readPolicy(text, { file: FILE });
      const tenant = policies.find(policy?.service ?? '')?.tenant ?? INSTALLATION;
      const code = Word(thrown.code);
      await recordRefusal(db, { tenant, actor: OPERATOR, action: 'policy.apply', code, now });
    }
    throw thrown;
  }
}

/** The operator's routes, for the app to mount. */
export function operatorRoutes(deps: OperatorDeps): DomainRoutes {
  const { policies, keys } = deps;
  const routes = new Hono<Edge>();
  for (const path of ['/v1/operator/policies/*', '/v1/operator/keys/*']) {
    routes.use(path, async (c, next) => {
      operatorOnly(c);
      sameOriginOnly(c);
      await next();
    });
  }

  routes.post('/v1/operator/policies/plan', async (c) => {
    const body = await bodyAs(c, Draft);
    const { text } = body;
    return orItsErrors(c, body, async () => {
      const { policy } = readPolicy(text, { file: FILE });
      // A document with contradictions can be planned; one that cannot be read is judged as at an apply.
      const next = policy ?? judgePolicy({ text, file: FILE }).policy;
      return c.json(await planWithRows(deps, policies.find(next.service), next));
    });
  });

  routes.post('/v1/operator/policies/apply', async (c) => {
    const body = await bodyAs(c, Draft);
    return orItsErrors(c, body, async () => {
      const { tenant, revision, hash, changed } = await apply(deps, body);
      return c.json({ tenant, revision, hash, changed }, changed ? 201 : 200);
    });
  });

  routes.get('/v1/operator/keys/status', async (c) => c.json((await keys.status()) as object));
  routes.post('/v1/operator/keys/rotate', async (c) =>
    c.json((await keys.rotate(OPERATOR)) as object),
  );
  routes.post('/v1/operator/keys/recovery-kit', async (c) => {
    c.header('cache-control', 'no-store');
    const { parts } = await bodyAs(c, Kit);
    return c.json(await keys.recoveryKit(OPERATOR, parts));
  });
  return { name: 'operator', routes };
}

/** Lets everybody read a domain's routes; only the operator may change anything below `path`. */
export function changedByOperator(name: string, path: string, routes: Hono): DomainRoutes {
  const guarded = new Hono<Edge>();
  guarded.put(path, async (c, next) => {
    operatorOnly(c);
    sameOriginOnly(c);
    await next();
  });
  guarded.route('/', routes);
  return { name, routes: guarded };
}
