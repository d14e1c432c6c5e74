import { randomUUID } from 'node:crypto';
import type { Fields } from '#core/looking';
import { broken, defineProof, gap, kept, saw } from '#core/promises';
import { typesOfPeople } from './mode-refuses.ts';
import { handlesOf, NOBODY, sendAndRead } from './sent.ts';
import { isSwitchedOff } from './switches.ts';

const PSEUDONYMOUS = 1;

export const sessionsLinked = defineProof({
  control: 'identify.sessions-linked',
  strength: 'stored-bytes',
  blindTo: 'Whether the id that a page hands in is a hash of something: it is never stored.',
  async prove(look) {
    const { canaries } = look;
    const types = typesOfPeople(look);
    if (!types) return gap(saw`the policy has no type for people`);
    const person = canaries.person();
    const { userId } = person;
    const identify: Fields = {
      type: 'identify',
      userId,
      anonymousId: person.anonymousId,
      traits: { plan: 'pro' },
      context: { mode: 'pseudonymous' },
    };
    // Two sittings at two browsers: nothing but the pseudonym is the same.
    const sitting = () => ({
      ...canaries.event(types.tracked, { ...canaries.person(), userId }),
      userId,
      sessionId: randomUUID(),
      context: { mode: 'pseudonymous' },
    });
    const found = await sendAndRead(look, [
      { type: types.people, event: identify },
      { type: types.tracked, event: sitting() },
      { type: types.tracked, event: sitting() },
      { type: types.tracked, event: { ...sitting(), userId: canaries.person().userId } },
    ]);
    const [named, one, two, other] = found;
    if (!named || !one || !two || !other) return gap(saw`a canary could not be read back`);
    const { subject } = named.row;
    if (subject === NOBODY || [one, two].some(({ row }) => row.subject !== subject)) {
      return broken(saw`two sessions of one pseudonym are not under one id`);
    }
    if (other.row.subject === subject) return broken(saw`another person is under the same id`);
    const sessions = [one, two].map(({ row }) => String(row['session']));
    const isOff = await isSwitchedOff(look, 'session');
    if (!isOff && sessions[0] === sessions[1]) return broken(saw`two sessions have one number`);
    const named_ = [named, one, two].filter(({ text, row }) => {
      const says = handlesOf(person).some((handle) => text.includes(handle));
      return says || Number(row['mode']) !== PSEUDONYMOUS;
    });
    if (named_.length > 0) return broken(saw`${named_.length} rows hold the id that was handed in`);
    return kept(
      saw`two sessions at two browsers and an identify are under one opaque id, somebody else's is
 under another, and no row holds what the page called the person`,
    );
  },
});
