import { broken, defineProof, gap, kept, saw, terms } from '#core/promises';
import { knock, knockAcross, REFUSED } from './doors.ts';
import { neighbours } from './neighbours.ts';

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
    const { tries, opened } = await knockAcross(at, stranger);
    if (opened.length > 0) {
      return broken(saw`a key of another service was not refused at ${terms(opened)}`);
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
