import { randomUUID } from 'node:crypto';
import { type Ask, broken, defineProof, gap, kept, type Look, saw, terms } from '#core/promises';
import { neighbours } from './neighbours.ts';

const REFUSED = 403;

/** Every address of a service that a write key opens, with a request that it takes. */
function doors(tenant: string, userId: string): readonly (readonly [string, Ask])[] {
  const handle = { userId };
  const event = { type: 'track', event: 'Something Seen', userId, messageId: randomUUID() };
  return [
    [`/v1/t/${tenant}/batch`, { body: { batch: [event] } }],
    [`/v1/t/${tenant}/consents/preferences`, { method: 'PUT', body: { handle, preferences: {} } }],
    [`/v1/t/${tenant}/consents/status`, { body: { handle } }],
    [`/v1/t/${tenant}/consents/withdraw`, { body: { handle } }],
  ];
}

/** What each door answered to a key; 0 stands for no answer. */
const knock = ({ http }: Look, tenant: string, writeKey: string, userId: string) =>
  Promise.all(
    doors(tenant, userId).map(async ([path, ask]) => {
      const headers = { authorization: `Bearer ${writeKey}` };
      return { path, status: (await http(path, { ...ask, headers })).status };
    }),
  );

export const ownEndpoint = defineProof({
  control: 'tenancy.own-endpoint',
  strength: 'protocol',
  blindTo: 'Addresses that need no key, which show what is published.',
  async prove(at) {
    const { canaries, keys, tenant, writeKey, others } = at;
    const { own } = await neighbours(at);
    if (!own || others.length === 0) return gap(saw`there is no second service to try a key of`);
    const answered = await knock(at, tenant, writeKey, own.userId);
    const closed = answered.filter(({ status }) => status >= 300).map(({ path }) => path);
    if (closed.length > 0) return gap(saw`its own key did not open ${terms(closed)}`);
    const stranger = canaries.person().userId;
    const opened: string[] = [];
    let tries = 0;
    for (const other of others) {
      for (const [of, key] of [
        [tenant, other.writeKey],
        [other.tenant, writeKey],
      ] as const) {
        const answers = await knock(at, of, key, stranger);
        tries += answers.length;
        opened.push(...answers.filter(({ status }) => status !== REFUSED).map(({ path }) => path));
      }
    }
    if (opened.length > 0) {
      return broken(
        saw`a key of another service was not refused at ${terms([...new Set(opened)])}`,
      );
    }
    const handle = [{ kind: 'user', value: stranger }] as const;
    const known = await Promise.all(
      [tenant, ...others.map((other) => other.tenant)].map((of) =>
        keys.find(of, handle, { create: false }),
      ),
    );
    if (known.some(([found]) => found !== 'unknown')) {
      return broken(saw`a refused request made somebody known`);
    }
    return kept(
      saw`${tries} of ${tries} requests with a key of another service were answered ${REFUSED} and left nothing; its own key opened ${answered.length} of ${answered.length} addresses`,
    );
  },
});
