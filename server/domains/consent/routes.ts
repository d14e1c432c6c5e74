/** The consent interface. HTTP in, problem out; no rules, no SQL. */
import type { IncomingMessage } from 'node:http';
import type { Policy } from '@troth/policy-language';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import type { z } from 'zod';
import { crossOriginHeaders, preflightHeaders } from '#base/cross-origin';
import { type TenantId, Word } from '#base/ids';
import { Problem } from '#base/problem';
import type { RefusalLog } from '#core/audit';
import type { Action, Actor, Policies } from '#core/policy';
import { tenancyProblem } from '#core/tenancy';
import type { Asked, Consent, Heard } from './consent.ts';
import { noticeOf, purposeOf, purposesOf, type Recorded } from './decisions.ts';
import { consentProblem } from './errors.ts';
import {
  ConsentBody,
  type Given,
  type HandleBody,
  HandleOnly,
  PreferencesBody,
  type Receipt,
  type Signals,
  StatusBody,
} from './model.ts';
import { renderReceipt, summariseReceipt } from './receipt.ts';

/** Who asks, as their key says, and whether everybody may hold such a key. */
export type Caller = { readonly actor: Actor; readonly isPublic: boolean };

export type ConsentRoutesDeps = {
  readonly consent: Consent;
  readonly policies: Policies;
  readonly refusals: Pick<RefusalLog, 'record'>;
  /**
   * Who asks, by the request's key and origin. A refusal is recorded by who knows the key.
   *
   * @throws Problem where there is no such key, or not for this.
   */
  readonly authenticate: (headers: Headers, tenant: TenantId, action: Action) => Promise<Caller>;
  /**
   * The country of whoever asks, or of the address that a server names for them: the one that their
   * event would be judged by. '' where it is not found.
   */
  readonly regionOf: (request: IncomingMessage | undefined, named: string | undefined) => string;
  /** Whether a page of this origin could have a key of the tenant. */
  readonly allowsOrigin: (origin: string, tenant: string) => boolean;
};

/** Any "1" counts; nothing else does. @see W3C Global Privacy Control, section 3. */
export function signalsOf(headers: Headers): Signals {
  const says = (name: string) =>
    (headers.get(name) ?? '').split(',').some((value) => value.trim() === '1');
  return { gpc: says('sec-gpc'), dnt: says('dnt'), doNotSell: says('x-do-not-sell') };
}

const FIELDS = 'handle purpose granted givenAt expiresAt notice preferences context'.split(' ');

async function bodyAs<Shape extends z.ZodType>(shape: Shape, c: Context): Promise<z.infer<Shape>> {
  const body: unknown = await c.req.json().catch(() => undefined);
  const read = shape.safeParse(body);
  if (read.success) return read.data;
  // The name of a field of ours; never a name or a value that was sent.
  const field = FIELDS.find((name) => name === read.error.issues[0]?.path[0]);
  const detail = field ? `look at ${field}` : 'see the page of this problem for the shape';
  throw consentProblem('consent-body-broken', detail);
}

/** A refusal of the act itself; a request that cannot be read is none. */
const isRefusal = (thrown: unknown): thrown is Problem =>
  thrown instanceof Problem && (thrown.status === 403 || thrown.status === 409);

type Asker = Pick<Asked, 'inForce'> & Caller;
type Vars = { Variables: { readableFrom?: string | undefined } };
type Ctx = Context<Vars>;
/** What the listener hands in beside the request; a request that came by no socket has none. */
type HttpBindings = { readonly incoming: IncomingMessage };

/** What every route does before and after its own part. */
function mannersOf(deps: ConsentRoutesDeps) {
  const { consent, policies, refusals, authenticate, regionOf } = deps;
  const summaries = (tenant: TenantId, receipts: readonly Receipt[]) =>
    Promise.all(
      receipts.map(async (one) =>
        summariseReceipt(one, await consent.policyOf(tenant, one.revision)),
      ),
    );

  const heard = (c: Ctx, ip?: string): Heard => ({
    signals: signalsOf(c.req.raw.headers),
    region: regionOf((c.env as Partial<HttpBindings> | undefined)?.incoming, ip),
  });

  async function asking(c: Ctx, action: Action): Promise<Asker> {
    const inForce = policies.find(c.req.param('tenant') ?? '');
    if (!inForce) throw tenancyProblem('tenant-unknown', 'no policy of this service is in force');
    try {
      const caller = await authenticate(c.req.raw.headers, inForce.tenant, action);
      c.set('readableFrom', c.req.header('origin'));
      return { inForce, ...caller };
    } catch (thrown) {
      // A page that may not use the key may not read the answer either.
      if (thrown instanceof Problem && thrown.status === 403) c.set('readableFrom', undefined);
      throw thrown;
    }
  }

  /** Whatever is refused is on record before it is answered. */
  async function recording<T>({ inForce, actor }: Asker, action: Action, act: () => Promise<T>) {
    try {
      return await act();
    } catch (thrown) {
      if (isRefusal(thrown)) {
        const { tenant } = inForce;
        await refusals.record({ tenant, actor, action, code: Word(thrown.code) });
      }
      throw thrown;
    }
  }

  return {
    /** Parses, asks, and does the route's own part; what is refused in it is recorded. */
    async serve<Shape extends z.ZodType<{ handle: HandleBody }>>(
      c: Ctx,
      { action, shape }: { action: Action; shape: Shape },
      work: (asked: Asked, body: z.infer<Shape>) => Promise<Response>,
    ): Promise<Response> {
      const asker = await asking(c, action);
      const body = await bodyAs(shape, c);
      const { inForce, actor, isPublic } = asker;
      return recording(asker, action, async () => {
        const handle = await consent.handleOf(inForce.tenant, body.handle, isPublic);
        return work({ inForce, actor, handle }, body);
      });
    },

    heard,

    /** How everything stands; with the receipts just made, or else all of them. */
    async answer(c: Ctx, asked: Asked, recorded?: readonly Recorded[], ip?: string) {
      const { tenant, policy } = asked.inForce;
      const { purposes, receipts } = await consent.overview(asked, heard(c, ip));
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

/** Lets pages read the answers whose key is for their origin, and no other page. */
function readableByItsPages({ allowsOrigin }: ConsentRoutesDeps): MiddlewareHandler<Vars> {
  return async (c, next) => {
    const origin = c.req.header('origin');
    const isAllowed = origin !== undefined && allowsOrigin(origin, c.req.param('tenant') ?? '');
    if (c.req.method === 'OPTIONS') {
      const headers = isAllowed ? preflightHeaders(origin, 'POST, PUT') : {};
      return c.body(null, 204, { ...headers, vary: 'origin' });
    }
    c.set('readableFrom', isAllowed ? origin : undefined);
    await next();
    const { readableFrom } = c.var;
    const headers = readableFrom === undefined ? {} : crossOriginHeaders(readableFrom);
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    c.header('cache-control', 'no-store');
    c.header('vary', 'Origin, Sec-GPC, DNT, X-Do-Not-Sell', { append: true });
    return undefined;
  };
}

/** Builds the routes; mount them at the root. No id is ever part of an address. */
export function consentRoutes(deps: ConsentRoutesDeps): Hono<Vars> {
  const { consent } = deps;
  const { serve, answer, heard } = mannersOf(deps);
  const routes = new Hono<Vars>().basePath('/v1/t/:tenant/consents');
  routes.use(readableByItsPages(deps));

  routes.post('/', (c) =>
    serve(c, { action: 'consent.record', shape: ConsentBody }, async (asked, body) => {
      const { handle: _, purpose: name, ...rest } = body;
      const { tenant, policy } = asked.inForce;
      const given: Given = { ...rest, purpose: purposeOf(policy, name).id, method: 'single' };
      const [made] = await consent.record(asked, [given]);
      if (!made) throw new Error('a decision left no receipt');
      const { receipt, isNew } = made;
      const under = await consent.policyOf(tenant, receipt.revision);
      const { purposes, receipts } = await consent.overview(asked, heard(c));
      const record = renderReceipt(receipt, under, receipts);
      return c.json({ ...summariseReceipt(receipt, under), record, purposes }, isNew ? 201 : 200);
    }),
  );

  routes.put('/preferences', (c) =>
    serve(c, { action: 'consent.record', shape: PreferencesBody }, async (asked, body) =>
      answer(c, asked, await consent.record(asked, decisionsOf(asked.inForce.policy, body))),
    ),
  );

  routes.post('/withdraw', (c) =>
    serve(c, { action: 'consent.withdraw', shape: HandleOnly }, async (asked) =>
      answer(c, asked, await consent.withdraw(asked)),
    ),
  );

  routes.post('/status', (c) =>
    serve(c, { action: 'consent.read', shape: StatusBody }, (asked, { context }) =>
      answer(c, asked, undefined, context?.ip),
    ),
  );

  return routes;
}
