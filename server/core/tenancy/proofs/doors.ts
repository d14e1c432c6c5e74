import { type Ask, bearer, type Look } from '#core/looking';

export const REFUSED = 403;

/** Every address of a service that a write key opens, with a request that it takes. */
function doors(tenant: string, userId: string): readonly (readonly [string, Ask])[] {
  const handle = { userId };
  return [
    // Without an event: that a key is let in is all that is asked.
    [`/v1/t/${tenant}/batch`, { body: { batch: [] } }],
    [`/v1/t/${tenant}/consents/preferences`, { method: 'PUT', body: { handle, preferences: {} } }],
    [`/v1/t/${tenant}/consents/status`, { body: { handle } }],
    [`/v1/t/${tenant}/consents/withdraw`, { body: { handle } }],
  ];
}

/** What each door answered to a key. */
export const knock = ({ http }: Look, tenant: string, writeKey: string, userId: string) =>
  Promise.all(
    doors(tenant, userId).map(async ([path, ask]) => {
      const headers = bearer(writeKey);
      return { path, status: (await http(path, { ...ask, headers })).status };
    }),
  );

/** This service's key at the doors of each other, and each other's key at the doors of this. */
export async function knockAcross(look: Look, userId: string) {
  const { tenant, writeKey, others } = look;
  const opened = new Set<string>();
  let tries = 0;
  for (const other of others) {
    const both = [
      await knock(look, tenant, other.writeKey, userId),
      await knock(look, other.tenant, writeKey, userId),
    ].flat();
    tries += both.length;
    for (const { path, status } of both) if (status !== REFUSED) opened.add(path);
  }
  return { tries, opened: [...opened] };
}
