/** The consent interface. HTTP in, problem out; no rules, no SQL. */
import type { Policy } from '@troth/policy-language';
import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import type { z } from 'zod';
import type { Clock } from '#base/clock';
import { type TenantId, Word } from '#base/ids';
import { Problem } from '#base/problem';
import { recordRefusal } from '#core/audit';
import type { Action, Actor, Policies } from '#core/policy';
import { tenancyProblem } from '#core/tenancy';
import type { Database } from '#platform/database';
import type { Asked, Consent } from './consent.ts';
import { noticeOf, purposeOf, purposesOf, type Recorded } from './decisions.ts';
import { consentProblem } from './errors.ts';
import {
  ConsentBody,
  type Given,
  type Handle,
  HandleOnly,
  handleOf,
  PreferencesBody,
  type Receipt,
  type Signals,
} from './model.ts';
import { renderReceipt, summariseReceipt } from './receipt.ts';

export type ConsentRoutesDeps = {
  readonly consent: Consent;
  readonly db: Pick<Database, 'sql'>;
  readonly policies: Policies;
  readonly clock: Clock;
  /** Who asks, by the request's key. @throws Problem where there is no such key. */
  readonly authenticate: (headers: Headers, tenant: TenantId) => Promise<Actor>;
};

/** Any "1" counts; nothing else does. @see W3C Global Privacy Control, section 3. */
export function signalsOf(headers: Headers): Signals {
  const says = (name: string) =>
    (headers.get(name) ?? '').split(',').some((value) => value.trim() === '1');
  return { gpc: says('sec-gpc'), dnt: says('dnt'), doNotSell: says('x-do-not-sell') };
}

const FIELDS = 'handle purpose granted givenAt expiresAt notice preferences'.split(' ');

async function bodyAs<Shape extends z.ZodType>(shape: Shape, c: Context): Promise<z.infer<Shape>> {
  const body: unknown = await c.req.json().catch(() => undefined);
  const read = shape.safeParse(body);
  if (read.success) return read.data;
  // The name of a field of ours; never a name or a value that was sent.
  const field = FIELDS.find((name) => name === read.error.issues[0]?.path[0]);
  const detail = field ? `look at ${field}` : 'see the page of this problem for the shape';
  throw consentProblem('consent-body-broken', detail);
}

function handleIn(c: Context): Handle {
  const { userId, anonymousId } = c.req.query();
  const [kind, value] =
    userId === undefined ? (['anonymous', anonymousId] as const) : (['user', userId] as const);
  if (!value || value.length > 256) {
    throw consentProblem('consent-handle-missing', 'name one userId or anonymousId');
  }
  return { kind, value };
}

/** A refusal of the act itself; a request that cannot be read is none. */
const isRefusal = (thrown: unknown): thrown is Problem =>
  thrown instanceof Problem && (thrown.status === 403 || thrown.status === 409);

type Asker = Omit<Asked, 'handle'>;

/** What every route does before and after its own part. */
function mannersOf({ consent, db, policies, clock, authenticate }: ConsentRoutesDeps) {
  const summaries = (tenant: TenantId, receipts: readonly Receipt[]) =>
    Promise.all(
      receipts.map(async (one) =>
        summariseReceipt(one, await consent.policyOf(tenant, one.revision)),
      ),
    );

  return {
    async asking(c: Context): Promise<Asker> {
      const inForce = policies.find(c.req.param('tenant') ?? '');
      if (!inForce) throw tenancyProblem('tenant-unknown', 'no policy of this service is in force');
      return { inForce, actor: await authenticate(c.req.raw.headers, inForce.tenant) };
    },

    /** Whatever is refused is on record before it is answered. */
    async recording<T>({ inForce, actor }: Asker, action: Action, act: () => Promise<T>) {
      try {
        return await act();
      } catch (thrown) {
        if (isRefusal(thrown)) {
          const { tenant } = inForce;
          const code = Word(thrown.code);
          await recordRefusal(db, { tenant, actor, action, code, now: clock.now() });
        }
        throw thrown;
      }
    },

    /** How everything stands; with the receipts just made, or else all of them. */
    async answer(c: Context, asked: Asked, recorded?: readonly Recorded[]) {
      const { tenant, policy } = asked.inForce;
      const { purposes, receipts } = await consent.overview(asked, signalsOf(c.req.raw.headers));
      const shown = recorded ? recorded.map(({ receipt }) => receipt) : receipts;
      const staysUnder = Object.fromEntries(
        purposesOf(policy).essential.map(({ id, basis }) => [id, basis]),
      );
      const notice = noticeOf(policy);
      return c.json({ purposes, receipts: await summaries(tenant, shown), staysUnder, notice });
    },
  };
}

/** A preference object as decisions. Of two names of one purpose that disagree, the no counts. */
function decisionsOf(policy: Policy, body: z.infer<typeof PreferencesBody>): Given[] {
  const { preferences, handle: _, ...rest } = body;
  const given = new Map<string, Given>();
  for (const [name, granted] of Object.entries(preferences)) {
    const { id: purpose, essential } = purposeOf(policy, name);
    // It is shown among the switches and stays on, whatever is said; the answer tells why.
    if (essential) continue;
    const both = granted && given.get(purpose)?.granted !== false;
    given.set(purpose, { ...rest, purpose, granted: both, method: 'preferences' });
  }
  return [...given.values()];
}

/** Builds the routes; mount them at the root. */
export function consentRoutes(deps: ConsentRoutesDeps): Hono {
  const { consent } = deps;
  const { asking, recording, answer } = mannersOf(deps);
  const routes = new Hono().basePath('/v1/t/:tenant/consents');

  // A write key is public, and no cookie is read here: any page may ask.
  routes.use(
    cors({ origin: '*', allowMethods: ['GET', 'POST', 'PUT'], maxAge: 7_200 }),
    async (c, next) => {
      await next();
      c.header('cache-control', 'no-store');
      c.header('vary', 'Sec-GPC, DNT, X-Do-Not-Sell', { append: true });
    },
  );

  routes.post('/', async (c) => {
    const asker = await asking(c);
    const { handle, purpose: name, ...rest } = await bodyAs(ConsentBody, c);
    const asked = { ...asker, handle: handleOf(handle) };
    const { tenant, policy } = asker.inForce;
    const given: Given = { ...rest, purpose: purposeOf(policy, name).id, method: 'single' };
    const [made] = await recording(asker, 'consent.record', () => consent.record(asked, [given]));
    if (!made) throw new Error('a decision left no receipt');
    const { receipt, isNew } = made;
    const under = await consent.policyOf(tenant, receipt.revision);
    const { purposes, receipts } = await consent.overview(asked, signalsOf(c.req.raw.headers));
    const record = renderReceipt(receipt, under, receipts);
    return c.json({ ...summariseReceipt(receipt, under), record, purposes }, isNew ? 201 : 200);
  });

  routes.put('/preferences', async (c) => {
    const asker = await asking(c);
    const body = await bodyAs(PreferencesBody, c);
    const asked = { ...asker, handle: handleOf(body.handle) };
    const given = decisionsOf(asker.inForce.policy, body);
    const made = await recording(asker, 'consent.record', () => consent.record(asked, given));
    return answer(c, asked, made);
  });

  routes.post('/withdraw', async (c) => {
    const asker = await asking(c);
    const { handle } = await bodyAs(HandleOnly, c);
    const asked = { ...asker, handle: handleOf(handle) };
    return answer(
      c,
      asked,
      await recording(asker, 'consent.withdraw', () => consent.withdraw(asked)),
    );
  });

  routes.get('/', async (c) => {
    const asker = await asking(c);
    const asked = { ...asker, handle: handleIn(c) };
    return recording(asker, 'consent.read', () => answer(c, asked));
  });

  // The same question without an id in the address, for those whose ids say who somebody is.
  routes.post('/status', async (c) => {
    const asker = await asking(c);
    const { handle } = await bodyAs(HandleOnly, c);
    const asked = { ...asker, handle: handleOf(handle) };
    return recording(asker, 'consent.read', () => answer(c, asked));
  });

  return routes;
}
