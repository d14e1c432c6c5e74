import { asClient, type Look } from '#core/looking';

type Tenant = Look['tenant'];

/** Somebody who decided something, so that there is a row about them in the service's schema. */
export type Resident = {
  readonly tenant: Tenant;
  readonly userId: string;
  /** The opaque id. */
  readonly subject: string;
  /** PostgreSQL's, as the list of services has it. */
  readonly schema: string;
};

type Owner = Look['others'][number];

/** Makes a resident of one service; `undefined` where its policy leaves nothing to decide. */
async function settle(
  { http, keys, sql }: Look,
  { tenant, writeKey, person }: Owner,
): Promise<Resident | undefined> {
  const { userId } = person();
  const body = { handle: { userId } };
  const told = await asClient({ http, tenant, writeKey }, '/consents/withdraw', { body });
  const receipts = (told.json as { receipts?: unknown[] } | undefined)?.receipts ?? [];
  if (told.status !== 200 || receipts.length === 0) return undefined;
  const [found] = await keys.find(tenant, [{ kind: 'user', value: userId }], { create: false });
  const [row] = await sql<{ schema: string }[]>`
    select schema from troth.tenants where id = ${tenant}`;
  if (typeof found !== 'object' || !row) return undefined;
  return { tenant, userId, subject: found.subject, schema: row.schema };
}

/** A resident of this service and one of each other service that lets people decide. */
export async function neighbours(look: Look): Promise<{ own?: Resident; others: Resident[] }> {
  const { tenant, writeKey, canaries } = look;
  const ours = { tenant, writeKey, person: canaries.person };
  const settled = await Promise.all([ours, ...look.others].map((owner) => settle(look, owner)));
  const [own, ...others] = settled;
  const found = others.filter((one) => one !== undefined);
  return own ? { own, others: found } : { others: found };
}

/** How many rows of a resident the server's login sees in a service's context, or in none. */
export const rowsSeen = (
  { asServer }: Look,
  { schema, subject }: Resident,
  context: Tenant | undefined,
): Promise<number> =>
  asServer(context, async (tx) => {
    const [row] = await tx<{ rows: number }[]>`
      select count(*)::int as rows from ${tx(schema)}.consent_receipts
      where subject = ${subject}`;
    return row?.rows ?? 0;
  });
