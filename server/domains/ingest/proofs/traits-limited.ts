import type { Fields, Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term, terms } from '#core/promises';
import { refusalOf, typesOfPeople } from './mode-refuses.ts';
import { asText, held, sendAll, valueIn } from './sent.ts';

/** Long enough to be in no id and no ciphertext by chance. */
const STRANGE = 471_108_154_711_023;

/** What somebody might add to a person, besides what the policy lists. */
const others = (marker: string): Fields => ({
  address: `1 ${marker} Street`,
  shoe_size: STRANGE,
  salary: STRANGE,
  note: marker,
  interests: [marker],
});

/** A value for a listed trait, by its declared kind. */
function valuesFor({ policy }: Look, traits: readonly string[], marker: string): Fields {
  const declared = Object.assign(
    {},
    policy.identify?.traits?.pseudonymous,
    policy.identify?.traits?.identified,
  ) as Record<string, unknown>;
  const pick = (name: string) => {
    if (declared[name] === 'month') return '2025-01';
    if (name === 'email') return `${marker}@example.com`;
    return marker.slice(0, 12);
  };
  return Object.fromEntries(traits.map((name) => [name, pick(name)]));
}

export const traitsLimited = defineProof({
  control: 'identify.traits-limited',
  strength: 'stored-bytes',
  blindTo: 'What a sender hides inside the value of a listed trait.',
  async prove(look, { mode, traits }) {
    const { canaries, policy } = look;
    const types = typesOfPeople(look);
    const names = traits as string[];
    if (!types) return gap(saw`the policy has no type for people`);
    const { anonymousId, userId, marker } = await canaries.agreeing();
    const stranger = canaries.person().marker;
    const person = { type: 'identify', anonymousId, userId, context: { mode } };
    const listed = valuesFor(look, names, marker);
    // Declared for another mode, and so a column that could take it.
    const elsewhere = Object.keys(policy.data[types.people]?.fields ?? {}).filter(
      (name) => !names.includes(name),
    );
    const more = elsewhere.map((name) => ({
      ...person,
      traits: { ...listed, [name]: name === 'email' ? `${stranger}@x.example` : stranger },
    }));
    const first = { ...person, traits: { ...listed, ...others(stranger) } };
    const told = await sendAll(look, [first, ...more]);
    const row = await held(look, types.people, told[0]?.message ?? '');
    if (!row) return broken(saw`an identify with ${terms(names)} was not stored`);
    const lost = names.filter((name) => asText(valueIn(row, name)) !== asText(listed[name]));
    if (lost.length > 0) return broken(saw`${terms(lost)} did not come back`);
    if (row.text.includes(stranger) || row.text.includes(String(STRANGE))) {
      return broken(saw`a trait that nobody listed was stored in ${term(mode as string)} mode`);
    }
    for (const [at, name] of elsewhere.entries()) {
      const found = await held(look, types.people, told[at + 1]?.message ?? '', 0);
      const isRefused = refusalOf(told[0]?.body ?? {}, at + 1) !== undefined;
      if (found?.text.includes(stranger) || (!found && !isRefused)) {
        return broken(saw`${term(name)} got through in ${term(mode as string)} mode`);
      }
    }
    return kept(
      saw`in ${term(mode as string)} mode ${terms(names)} came back; ${Object.keys(others('')).length}
 others were cut off, and ${elsewhere.length} of another mode got no further`,
    );
  },
});
