import { type Fields, type Look, withFields } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term } from '#core/promises';
import { held, sendAll } from './sent.ts';

/** Every way in which a sender may say that somebody is a child. */
function markedEvents(event: Fields, below: number): Fields[] {
  return [
    { ...event, context: { minor: true } },
    { ...event, context: { age: below } },
    { ...event, context: { traits: { age: below } } },
    withFields(event, { minor: true }),
    withFields(event, { is_minor: true }),
    withFields(event, { age: below }),
  ];
}

/** A type that any event may land in without more ado: one that nobody has to be asked about. */
function typeFor({ policy, canaries }: Look): string | undefined {
  return canaries.eventTypes.find((type) => {
    const { 'event-names': names = [], purposes = [] } = policy.data[type] ?? {};
    const isFree = purposes.some((name) => policy.purposes[name]?.required === true);
    return isFree && names.some((name) => !name.startsWith('type:'));
  });
}

export const minorRefused = defineProof({
  control: 'ingest.minor-refused',
  strength: 'stored-bytes',
  blindTo: 'A child about whom the sender says nothing: nobody’s age is guessed.',
  async prove(look) {
    const { age } = look.policy;
    const type = typeFor(look);
    if (!age || type === undefined) return gap(saw`the policy has no age, or no type to send`);
    const strictest = Math.max(age.minimum, ...Object.values(age.regions ?? {}));
    const person = look.canaries.person();
    const event = look.canaries.event(type, person);
    const marked = markedEvents(event, strictest - 1);
    const grown = withFields(event, { age: strictest });
    const told = await sendAll(look, [...marked, grown]);
    const control = await held(look, type, told.at(-1)?.message ?? '');
    if (!control) return gap(saw`the event of an adult could not be read back`);
    let stored = 0;
    for (const { message } of told.slice(0, -1)) {
      if ((await look.canaries.stored(type, message, 0)).length > 0) stored++;
    }
    if (stored > 0)
      return broken(saw`${stored} of ${marked.length} events of children were stored`);
    if (control.text.includes('minor')) return broken(saw`the mark of a child was stored`);
    const dropped = (told[0]?.body['dropped'] ?? {}) as Fields;
    if (dropped['under-age'] !== marked.length) {
      return broken(saw`the answer does not count ${marked.length} events as under age`);
    }
    return kept(
      saw`${marked.length} of ${marked.length} events marked as a child's, up to ${strictest - 1}
 years, left no row in ${term(type)}; one of ${strictest} years did`,
    );
  },
});
