import type { Fields, Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, term } from '#core/promises';
import { held, NOBODY, sendAll } from './sent.ts';

/** The type that `identify` lands in, and one that tracked events of a person land in. */
export function typesOfPeople({ policy, canaries }: Look) {
  const namesOf = (type: string) => policy.data[type]?.['event-names'] ?? [];
  const people = canaries.eventTypes.find((type) => namesOf(type).includes('type:identify'));
  const tracked = canaries.eventTypes.find(
    (type) =>
      policy.data[type]?.key === 'subject' &&
      policy.data[type].purposes.some((name) => policy.purposes[name]?.required === true) &&
      namesOf(type).some((name) => !name.startsWith('type:')),
  );
  return people === undefined || tracked === undefined ? undefined : { people, tracked };
}

export const refusalOf = (body: Fields, index: number): string | undefined =>
  (body['refused'] as { index: number; code: string }[] | undefined)?.find(
    (one) => one.index === index,
  )?.code;

/** Anonymous: whoever tries to say who somebody is gets a no, and an id beside an event is lost. */
async function proveAnonymous(look: Look): Promise<Seen> {
  const { canaries } = look;
  const types = typesOfPeople(look);
  if (!types) return gap(saw`the policy has no type for people`);
  const { anonymousId, userId } = canaries.person();
  const ids = { anonymousId, userId, context: { mode: 'anonymous' } };
  const tried: Fields[] = [
    { type: 'identify', ...ids, traits: { plan: 'pro' } },
    { type: 'alias', ...ids, previousId: anonymousId },
    { type: 'group', ...ids, groupId: 'canaries', traits: { plan: 'pro' } },
  ];
  const event = { ...canaries.event(types.tracked, { ...canaries.person(), userId }), ...ids };
  const told = await sendAll(look, [...tried, event]);
  const body = told[0]?.body ?? {};
  const refused = tried.filter((_, at) => refusalOf(body, at) === 'identify-refused').length;
  if (refused < tried.length) return broken(saw`${tried.length - refused} calls were not refused`);
  const row = await held(look, types.tracked, told.at(-1)?.message ?? '');
  if (!row) return gap(saw`the event without a name could not be read back`);
  const isNamed = row.row.subject !== NOBODY || row.text.includes(userId);
  if (isNamed) return broken(saw`an anonymous event was stored under a person`);
  if ((await canaries.subjectOf('user', userId)) !== undefined) {
    return broken(saw`the keeper has made an id for somebody whom nobody may identify`);
  }
  return kept(
    saw`${refused} of ${tried.length} calls that name a person were refused in anonymous mode, the
 keeper knows no such person, and an event beside them was stored under nobody`,
  );
}

/** Pseudonymous: a yes of the person changes nothing, what says who they are has no place. */
async function provePseudonymous(look: Look): Promise<Seen> {
  const { canaries } = look;
  const types = typesOfPeople(look);
  if (!types) return gap(saw`the policy has no type for people`);
  const { anonymousId, userId, marker } = await canaries.agreeing();
  const email = `${marker}@example.com`;
  const context = { mode: 'pseudonymous' };
  const personal: Fields[] = [
    { type: 'identify', anonymousId, userId, traits: { email }, context },
    { type: 'identify', anonymousId, userId: email, traits: { plan: 'pro' }, context },
    { type: 'identify', anonymousId, userId: `Jane ${marker}`, traits: {}, context },
    { type: 'identify', anonymousId, userId, traits: { phone: '+49 30 1234567' }, context },
    { type: 'identify', anonymousId, userId, traits: { firstName: marker }, context },
  ];
  const plain = { type: 'identify', anonymousId, userId, traits: { plan: 'pro' }, context };
  const told = await sendAll(look, [...personal, plain]);
  const body = told[0]?.body ?? {};
  const codes = personal.map((_, at) => refusalOf(body, at));
  const refused = codes.filter((code) => code === 'identify-personal-data').length;
  if (refused < personal.length) {
    return broken(saw`${personal.length - refused} of ${personal.length} calls were not refused`);
  }
  const row = await held(look, types.people, told.at(-1)?.message ?? '');
  if (!row) return gap(saw`the pseudonymous call could not be read back`);
  if ((await canaries.subjectOf('user', email)) !== undefined) {
    return broken(saw`the keeper has made an id for an e-mail address`);
  }
  return kept(
    saw`${refused} of ${personal.length} calls with an address, a name or a number were refused in
 pseudonymous mode though the person agreed to everything; one with a plan only was stored`,
  );
}

export const modeRefuses = defineProof({
  control: 'identify.mode-refuses',
  strength: 'stored-bytes',
  blindTo: 'An id in no form that a rule takes for a person’s own, as a nickname.',
  async prove(look, { mode }) {
    if (mode === 'anonymous') return proveAnonymous(look);
    if (mode === 'pseudonymous') return provePseudonymous(look);
    return gap(saw`there is no probe for ${term(String(mode))}`);
  },
});
