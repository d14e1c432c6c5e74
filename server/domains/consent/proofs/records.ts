/** The proofs of what is written about consent, and of what needs none. */
import { asClient, type Canary, type Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term, terms } from '#core/promises';
import { isFree, namesPeople, openPurposes } from './gates.ts';
import { arrived, decide, send, standings, withdrawAll } from './people.ts';
import { receiptsOf } from './receipts.ts';

export const perPurpose = defineProof({
  control: 'consent.per-purpose',
  strength: 'stored-bytes',
  blindTo: 'Whether people read the text that they were shown.',
  async prove(at) {
    const open = openPurposes(at);
    const [flipped] = open;
    if (open.length < 2 || flipped === undefined)
      return gap(saw`there are fewer than two purposes`);
    const person = at.canaries.person();
    await decide(at, person, Object.fromEntries(open.map((purpose) => [purpose, true])));
    const before = await receiptsOf(at, person);
    const stood = await standings(at, person);
    await decide(at, person, { [flipped]: false });
    const after = await receiptsOf(at, person);
    const stands = await standings(at, person);
    const fresh = after.filter(({ id }) => !before.some((one) => one.id === id));
    if (before.length !== open.length) {
      return broken(saw`${open.length} decisions left ${before.length} receipts`);
    }
    const version = at.policy.consent?.notice.version ?? at.policy.version;
    const languages = at.policy.consent?.notice.languages ?? at.policy.languages;
    const uncited = after.filter(
      ({ notice, language, at: time }) =>
        notice !== version || !languages.includes(language) || Number.isNaN(time.getTime()),
    );
    if (uncited.length > 0) {
      return broken(saw`${uncited.length} receipts do not name the text in force, or its language`);
    }
    const changed = open.filter((purpose) => stood[purpose]?.granted !== stands[purpose]?.granted);
    const alone = fresh.length === 1 && fresh[0]?.purpose === flipped && !fresh[0].granted;
    if (!alone || changed.length !== 1 || changed[0] !== flipped) {
      return broken(saw`one purpose was changed, and ${changed.length} others with it`);
    }
    return kept(
      saw`${open.length} purposes have a receipt each, with its time and text ${term(version)}; one decision changed one purpose and left one more receipt`,
    );
  },
});

/** Fields that other purposes are asked for: the essential ones must do without. */
function foreignFields({ policy }: Look, type: string, purpose: string): string[] {
  return Object.entries(policy.data[type]?.fields ?? {}).flatMap(([name, field]) => {
    const own = typeof field === 'object' ? field.purposes : undefined;
    return own !== undefined && !own.includes(purpose) ? [name] : [];
  });
}

/** Tries to refuse what cannot be refused. */
async function refusal(look: Look, { userId }: Canary, purpose: string): Promise<number> {
  const told = await asClient(look, '/consents', {
    body: { handle: { userId }, purpose, granted: false },
  });
  return told.status;
}

export const requiredPurpose = defineProof({
  control: 'consent.required-purpose',
  strength: 'stored-bytes',
  blindTo: 'Whether the service could do with less.',
  async prove(at, { purpose }) {
    const name = String(purpose);
    const declared = at.policy.purposes[name];
    if (!declared || !isFree(declared)) return broken(saw`${term(name)} can be refused`);
    const types = at.canaries.eventTypes.filter((id) =>
      at.policy.data[id]?.purposes.includes(name),
    );
    const plain = types.filter((type) => !namesPeople(at, type));
    if (plain.length === 0) return gap(saw`nothing is collected for ${term(name)}`);
    const person = at.canaries.person();
    await withdrawAll(at, person);
    if ((await refusal(at, person, name)) !== 409) {
      return broken(saw`turning ${term(name)} off was not refused`);
    }
    const standing = (await standings(at, person))[name];
    if (!standing?.granted || !standing.required) {
      return broken(saw`${term(name)} does not stand as required`);
    }
    const page = await at.http(`/v1/t/${at.tenant}/policy.html`);
    const words = declared.description ?? declared.title;
    if (!words || !page.text.includes(words))
      return broken(saw`${term(name)} is not described on the page`);
    const messages: { type: string; message: string }[] = [];
    for (const type of types) messages.push({ type, message: await send(at, { type, person }) });
    const stored = await arrived(at, messages);
    const dropped = plain.filter((type) => !stored[types.indexOf(type)]);
    if (dropped.length > 0) return broken(saw`dropped without consent: ${terms(dropped)}`);
    let absent = 0;
    for (const { type, message } of messages) {
      const foreign = foreignFields(at, type, name);
      absent += foreign.length;
      const [row] = await at.canaries.stored(type, message, 0);
      const opened = row && (await at.canaries.opened(type, row));
      const held = foreign.filter((field) => opened?.[field] || row?.[`f_${field}`]);
      if (held.length > 0) return broken(saw`kept without consent: ${terms(held)}`);
    }
    return kept(
      saw`with everything else refused, ${plain.length} of ${plain.length} types of ${term(name)} were stored, ${absent} fields of other purposes were not; turning it off was refused, and the page describes it`,
    );
  },
});
