import { asClient, type Fields, type Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term } from '#core/promises';
import { refusalOf, typesOfPeople } from './mode-refuses.ts';
import { held, sendAll, valueIn } from './sent.ts';

type Overview = {
  readonly purposes?: Readonly<Record<string, { granted?: boolean }>>;
  readonly receipts?: readonly { purpose?: string; granted?: boolean }[];
};

async function ask(look: Look, path: string, method: string, body: object): Promise<Overview> {
  const told = await asClient(look, `/consents${path}`, { method, body });
  if (told.status >= 300) throw new Error('the consent interface refused');
  return told.json as Overview;
}

export const consentFirst = defineProof({
  control: 'identify.consent-first',
  strength: 'stored-bytes',
  blindTo: 'Whether it was the person who agreed: whoever holds a key says so for them.',
  async prove(look, { purpose: bound }) {
    const purpose = bound as string;
    const { canaries, policy } = look;
    const types = typesOfPeople(look);
    if (!types) return gap(saw`the policy has no type for people`);
    if (policy.purposes[purpose]?.default !== 'off') {
      return broken(saw`${term(purpose)} is on for whoever says nothing`);
    }
    const { anonymousId, userId, marker } = canaries.person();
    const email = `${marker}@example.com`;
    const call: Fields = {
      type: 'identify',
      anonymousId,
      userId,
      traits: { email, plan: 'pro' },
      context: { mode: 'identified' },
    };
    // Every other yes is there: only this one is missing.
    const preferences = Object.fromEntries(
      Object.keys(policy.purposes).map((name) => [name, name !== purpose]),
    );
    const handle = { userId };
    await ask(look, '/preferences', 'PUT', { handle, preferences });
    const [early] = await sendAll(look, [call]);
    if (!early || refusalOf(early.body, 0) !== 'identify-no-consent') {
      return broken(saw`an identify with an e-mail address was taken before ${term(purpose)}`);
    }
    await ask(look, '/preferences', 'PUT', { handle, preferences: { [purpose]: true } });
    const [late] = await sendAll(look, [call]);
    const row = await held(look, types.people, late?.message ?? '');
    if (!row) return broken(saw`the same call was not stored after the person agreed`);
    if (valueIn(row, 'email') !== email || row.row.sealed === '') {
      return broken(saw`the e-mail address did not come back sealed`);
    }
    if ((await canaries.stored(types.people, early.message, 0)).length > 0) {
      return broken(saw`the refused call left a row`);
    }
    const { receipts = [], purposes = {} } = await ask(look, '/status', 'POST', { handle });
    const linked = receipts.some((one) => one.purpose === purpose && one.granted === true);
    if (!linked || purposes[purpose]?.granted !== true) {
      return broken(saw`no receipt of ${term(purpose)} is on record for the person`);
    }
    await ask(look, '/withdraw', 'POST', { handle });
    const [after] = await sendAll(look, [call]);
    if (!after || refusalOf(after.body, 0) !== 'identify-no-consent') {
      return broken(saw`an identify was taken after the person withdrew`);
    }
    return kept(
      saw`the same call was refused without ${term(purpose)}, stored with its address sealed once a
 receipt was on record, and refused again after the withdrawal`,
    );
  },
});
