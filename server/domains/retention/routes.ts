/** How long data is kept, as an operator sees and chooses it. HTTP in, problem out. */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { Actor, Policies } from '#core/policy';
import type { People } from '#core/purposes';
import { tenancyProblem } from '#core/tenancy';
import { retentionProblem } from './errors.ts';
import type { Asker, Retention } from './open.ts';

export type RetentionRoutesDeps = {
  readonly retention: Retention;
  readonly policies: Policies;
  readonly people: People;
  /** @throws Problem for anybody but the operator. */
  readonly authenticate: (c: Context) => Actor;
};

const Choice = z.strictObject({
  choice: z.string().min(1).max(40).nullable(),
  region: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .optional(),
});
const DATA_TYPE = /^[a-z][a-z0-9-]{0,40}$/;
const SWEEPS_SHOWN = 200;
const ARCHIVE_ROWS = 200;

const dateIn = (text: string | undefined, otherwise: Date): Date => {
  const read = text === undefined ? otherwise : new Date(text);
  if (Number.isNaN(read.getTime())) {
    throw retentionProblem('retention-body-broken', 'from and until are times as ISO 8601');
  }
  return read;
};

/** Builds the routes; mount them at the root. */
export function retentionRoutes(deps: RetentionRoutesDeps): Hono {
  const { retention, policies, people, authenticate } = deps;
  const routes = new Hono().basePath('/v1/t/:tenant/retention');
  const asking = (c: Context): Asker => {
    const inForce = policies.find(c.req.param('tenant') ?? '');
    if (!inForce) throw tenancyProblem('tenant-unknown', 'no policy of this service is in force');
    c.header('cache-control', 'no-store');
    return { inForce, actor: authenticate(c) };
  };
  const typeIn = (c: Context): string => {
    const dataType = c.req.param('type') ?? '';
    if (!DATA_TYPE.test(dataType)) {
      throw retentionProblem('retention-body-broken', 'name a data type of the policy');
    }
    return dataType;
  };

  routes.get('/', async (c) => {
    const { inForce } = asking(c);
    return c.json({ data: await retention.standing(inForce) });
  });

  routes.get('/sweeps', async (c) => {
    const { inForce } = asking(c);
    return c.json({ sweeps: await retention.sweeps(inForce.tenant, SWEEPS_SHOWN) });
  });

  routes.put('/:type', async (c) => {
    const asker = asking(c);
    const dataType = typeIn(c);
    const isJson = c.req.header('content-type')?.split(';')[0]?.trim() === 'application/json';
    const read = isJson ? Choice.safeParse(await c.req.json().catch(() => undefined)) : undefined;
    if (!read?.success) {
      throw retentionProblem('retention-body-broken', 'send {"choice": "P1Y"} or an option');
    }
    await retention.choose(asker, { dataType, ...read.data });
    const standing = await retention.standing(asker.inForce);
    return c.json(standing.find((one) => one.dataType === dataType));
  });

  routes.get('/:type/archive', async (c) => {
    const asker = asking(c);
    const { purpose = '', from, until } = c.req.query();
    const asked = {
      dataType: typeIn(c),
      purpose,
      limit: ARCHIVE_ROWS,
      from: dateIn(from, new Date(0)),
      until: dateIn(until, new Date(8_640_000_000_000_000)),
    };
    const rows = await retention.readArchive(asker, asked, people);
    return c.json({ rows });
  });
  return routes;
}
