/** The interface of erasures and holds. HTTP in, problem out; a person stands in bodies only. */
import { type Context, Hono } from 'hono';
import type { z } from 'zod';
import type { Clock } from '#base/clock';
import { SubjectId, type TenantId, Word } from '#base/ids';
import { Problem } from '#base/problem';
import { recordRefusal } from '#core/audit';
import { type Action, type Actor, authorize, type Policies } from '#core/policy';
import { tenancyProblem } from '#core/tenancy';
import type { Database } from '#platform/database';
import { rightsProblem } from './errors.ts';
import { type Erasure, ErasureBody, type ErasureId, HoldBody } from './model.ts';
import type { ErasureView, Rights } from './open.ts';
import type { Asker } from './requests.ts';

export type RightsRoutesDeps = {
  readonly rights: Rights;
  readonly db: Pick<Database, 'sql'>;
  readonly policies: Policies;
  readonly clock: Clock;
  /** The operator's session, or a server's key with the scope `erase`. @throws Problem. */
  readonly authenticate: (c: Context, tenant: TenantId) => Promise<Actor>;
};

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const REPEAT_KEY_LENGTH_MAX = 255;

async function bodyAs<Shape extends z.ZodType>(shape: Shape, c: Context): Promise<z.infer<Shape>> {
  const isJson = c.req.header('content-type')?.split(';')[0]?.trim() === 'application/json';
  const read = isJson ? shape.safeParse(await c.req.json().catch(() => undefined)) : undefined;
  if (read?.success) return read.data;
  throw rightsProblem('erasure-body-broken', 'send JSON that names one handle or one subject');
}

function idIn(c: Context): ErasureId {
  const id = c.req.param('id') ?? '';
  if (!ID.test(id)) throw rightsProblem('erasure-unknown', 'look at the id and the service');
  return id as ErasureId;
}

function repeatKeyIn(c: Context): string | undefined {
  const key = c.req.header('idempotency-key');
  if (key !== undefined && (key === '' || key.length > REPEAT_KEY_LENGTH_MAX)) {
    throw rightsProblem('erasure-body-broken', 'Idempotency-Key has 1 to 255 characters');
  }
  return key;
}

const summaryOf = ({ id, state, found, complete, ground, trouble, ...times }: Erasure) => ({
  id,
  state,
  found,
  complete,
  ground,
  trouble,
  requestedAt: times.requestedAt,
  hiddenAt: times.hiddenAt,
  destroyAt: times.destroyAt,
  keyDestroyedAt: times.keyDestroyedAt,
  deletedAt: times.deletedAt,
  finishedAt: times.finishedAt,
  alarmedAt: times.alarmedAt,
});

/** What happened, in the order in which it did. */
function timelineOf({ erasure, ledger }: ErasureView) {
  const stores = ledger
    .filter(({ store }) => store !== 'bytes')
    .map(({ store, place, counted, remains, at }) => ({
      what: 'rows-deleted',
      store,
      place,
      counted,
      deleted: counted - remains,
      remains,
      at,
    }));
  const step = (what: string, at: Date | null) => (at === null ? [] : [{ what, at }]);
  // In this order also where several happened in one instant: the sort keeps it.
  return [
    ...step('requested', erasure.requestedAt),
    ...step('hidden', erasure.hiddenAt),
    ...step('key-destroyed', erasure.keyDestroyedAt),
    ...stores,
    ...step('all-rows-deleted', erasure.deletedAt),
    ...step(erasure.state === 'undone' ? 'undone' : 'certified', erasure.finishedAt),
  ].sort((a, b) => a.at.getTime() - b.at.getTime());
}

const shown = (view: ErasureView) => {
  const { erasure, people, ledger } = view;
  const { subject, reason, verified, keys } = erasure;
  return {
    ...summaryOf(erasure),
    subject,
    reason,
    verified,
    people,
    keys,
    search: ledger
      .filter(({ store }) => store === 'bytes')
      .map(({ place, counted, remains }) => ({ place, foundBefore: counted, found: remains })),
    timeline: timelineOf(view),
  };
};

/** What every route does before and after its own part. */
function mannersOf({ db, policies, clock, authenticate }: RightsRoutesDeps) {
  return {
    async asking(c: Context): Promise<Asker> {
      const inForce = policies.find(c.req.param('tenant') ?? '');
      if (!inForce) throw tenancyProblem('tenant-unknown', 'no policy of this service is in force');
      c.header('cache-control', 'no-store');
      return { inForce, actor: await authenticate(c, inForce.tenant) };
    },
    /** Whatever is refused is on record before it is answered. */
    async recording<T>({ inForce, actor }: Asker, action: Action, act: () => Promise<T>) {
      try {
        return await act();
      } catch (thrown) {
        if (thrown instanceof Problem && (thrown.status === 403 || thrown.status === 409)) {
          const { tenant } = inForce;
          const code = Word(thrown.code);
          await recordRefusal(db, { tenant, actor, action, code, now: clock.now() });
        }
        throw thrown;
      }
    },
  };
}

type Manners = ReturnType<typeof mannersOf>;

function erasureRoutes({ rights }: RightsRoutesDeps, { asking, recording }: Manners): Hono {
  const routes = new Hono().basePath('/v1/t/:tenant/erasures');

  routes.post('/', async (c) => {
    const asker = await asking(c);
    const { subject, ...body } = await bodyAs(ErasureBody, c);
    const wanted = {
      ...body,
      repeatKey: repeatKeyIn(c),
      ...(subject === undefined ? {} : { subject: SubjectId(subject) }),
    };
    const { erasure, isNew } = await recording(asker, 'subject.erase', () =>
      rights.request(asker, wanted),
    );
    const { tenant } = asker.inForce;
    c.header('location', `/v1/t/${tenant}/erasures/${erasure.id}`);
    return c.json({ ...summaryOf(erasure), isNew }, 202);
  });

  routes.get('/', async (c) => {
    const asker = await asking(c);
    const list = await recording(asker, 'subject.erase', () => rights.list(asker));
    return c.json({ erasures: list.map(summaryOf) });
  });

  routes.get('/:id', async (c) => {
    const asker = await asking(c);
    const id = idIn(c);
    return c.json(shown(await recording(asker, 'subject.erase', () => rights.read(asker, id))));
  });

  routes.get('/:id/certificate', async (c) => {
    const asker = await asking(c);
    const id = idIn(c);
    const certificate = await rights.certificate(asker, id);
    c.header('content-disposition', `attachment; filename="erasure-${id}.json"`);
    return c.json(certificate);
  });

  routes.post('/:id/undo', async (c) => {
    const asker = await asking(c);
    const id = idIn(c);
    const undone = await recording(asker, 'subject.erase', () => rights.undo(asker, id));
    return c.json(summaryOf(undone));
  });
  return routes;
}

function holdRoutes({ rights }: RightsRoutesDeps, { asking, recording }: Manners): Hono {
  const routes = new Hono().basePath('/v1/t/:tenant/holds');

  routes.get('/', async (c) => {
    const asker = await asking(c);
    const holds = await recording(asker, 'hold.place', () => rights.holds(asker));
    return c.json({ holds });
  });

  routes.post('/', async (c) => {
    const asker = await asking(c);
    const { inForce, actor } = asker;
    // A key that may only ask for erasures is refused whatever it sends.
    await recording(asker, 'hold.place', async () => authorize(inForce, actor, 'hold.place'));
    const { subject, ...asked } = await bodyAs(HoldBody, c);
    const given = subject === undefined ? asked : { ...asked, subject: SubjectId(subject) };
    const hold = await recording(asker, 'hold.place', () => rights.placeHold(asker, given));
    return c.json(hold, 201);
  });

  routes.post('/:id/lift', async (c) => {
    const asker = await asking(c);
    const id = c.req.param('id');
    if (!ID.test(id)) throw rightsProblem('hold-unknown', 'it was lifted, or never placed');
    return c.json(await recording(asker, 'hold.place', () => rights.liftHold(asker, id)));
  });
  return routes;
}

/** Builds the routes; mount them at the root. */
export function rightsRoutes(deps: RightsRoutesDeps): Hono {
  const manners = mannersOf(deps);
  return new Hono().route('/', erasureRoutes(deps, manners)).route('/', holdRoutes(deps, manners));
}
