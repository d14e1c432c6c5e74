import type { Canary, Look } from '#core/looking';

export type Receipt = {
  readonly id: string;
  readonly kind: 'decision' | 'signal';
  readonly purpose: string;
  readonly granted: boolean;
  readonly signal: string | null;
  readonly at: Date;
  readonly notice: string;
  readonly language: string;
};

/** The stored receipts of somebody, oldest first. */
export async function receiptsOf(look: Look, { userId }: Canary): Promise<readonly Receipt[]> {
  const { keys, tenant, sql, asServer } = look;
  const [found] = await keys.find(tenant, [{ kind: 'user', value: userId }], { create: false });
  const [home] = await sql<{ schema: string }[]>`
    select schema from troth.tenants where id = ${tenant}`;
  if (typeof found !== 'object' || !home) return [];
  return asServer(
    tenant,
    (tx) => tx<Receipt[]>`
    select id, kind, purpose, granted, signal, given_at as at, notice_version as notice,
           notice_language as language
    from ${tx(home.schema)}.consent_receipts
    where subject = ${found.subject}
    order by received_at, given_at
    limit 1000`,
  );
}
