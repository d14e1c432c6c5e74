import { type Fields, type Look, withFields } from '#core/looking';
import { broken, defineProof, gap, kept, saw, terms } from '#core/promises';
import { type Content, contentOf, OWN_CATEGORY, pairsOf, TELLING_NAMES } from './content.ts';
import { held, type Sending, sendAll } from './sent.ts';

/** One event that carries content of one class, in every place that could hold it. */
type Try = Sending & { readonly what: string; readonly secrets: readonly string[] };

type Place = { readonly name: string; readonly room: number; readonly category: string };

/** The declared text fields of a type, clear and sealed. */
function placesOf({ policy }: Look, type: string): Place[] {
  return Object.values(policy.compiled.data[type]?.fields ?? {})
    .filter((field) => ['string', 'url-path', 'json'].includes(field.type))
    .map(({ name, max }) => {
      const declared = policy.data[type]?.fields?.[name];
      const category = typeof declared === 'object' ? (declared.category ?? '') : '';
      return { name, room: max ?? 1_024, category };
    });
}

const mayHold = (what: string, { category }: Place) =>
  OWN_CATEGORY[what]?.some((own) => category === own || category.startsWith(`${own}.`)) ?? false;

type Filling = {
  readonly what: string;
  readonly texts: readonly Content[];
  readonly turn: number;
};

/** Fills each field with another text of the class; one that is too long is sent all the same. */
function tryOf(look: Look, plain: Sending, { what, texts, turn }: Filling): Try {
  const places = placesOf(look, plain.type);
  const declared = new Set(Object.keys(look.policy.compiled.data[plain.type]?.fields ?? {}));
  const open = places.filter((place) => !mayHold(what, place));
  const filled = open.map(({ name, room }, at) => {
    const fitting = texts.filter(({ text }) => text.length <= room);
    const from = fitting.length > 0 ? fitting : texts;
    return [name, from[(at + turn) % from.length]?.text] as const;
  });
  // A declared field is filled above, or holds the very thing as it is declared to.
  const telling = (TELLING_NAMES[what] ?? [])
    .filter((name) => !declared.has(name))
    .map((name) => [name, texts[0]?.text] as const);
  const event = withFields(plain.event, Object.fromEntries([...telling, ...filled]));
  const secrets = texts.flatMap((text) => text.secrets);
  return { type: plain.type, event, what, secrets };
}

/** Types that take an event under a name of its own; people's traits have a proof of their own. */
const typesOf = ({ policy, canaries }: Look) =>
  canaries.eventTypes.filter((type) =>
    policy.data[type]?.['event-names']?.some((name) => !/^type:(identify|alias|group)$/.test(name)),
  );

/** What may stand in the name of an event at all; anything else is refused there. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} .:/()&+'-]{0,127}$/u;

async function readAll(look: Look, tries: readonly Try[], controls: readonly Sending[]) {
  const told = await sendAll(
    look,
    [...controls, ...tries].map(({ event }) => event),
  );
  const seen: { text: string; what: string; secrets: readonly string[] }[] = [];
  for (const [at, { type }] of controls.entries()) {
    if (!(await held(look, type, told[at]?.message ?? ''))) return undefined;
  }
  for (const [at, one] of tries.entries()) {
    const message = told[controls.length + at]?.message ?? '';
    const found = await held(look, one.type, message, 'nameless' in one ? 0 : 2_500);
    if (!found && !('nameless' in one)) return undefined;
    seen.push({ text: found?.text ?? '', what: one.what, secrets: one.secrets });
  }
  return seen;
}

export const contentStripped = defineProof({
  control: 'ingest.content-stripped',
  strength: 'stored-bytes',
  blindTo:
    'Content in no form that a rule knows, as a bare name in a declared text field, and fields that are declared to hold such content.',
  async prove(look, { classes }) {
    const types = typesOf(look);
    const wanted = classes as string[];
    if (types.length === 0) return gap(saw`the policy has no type that takes events`);
    if (wanted.some((what) => contentOf(what).length === 0)) return gap(saw`a class has no probe`);
    const person = await look.canaries.agreeing();
    const controls = types.map((type) => ({ type, event: look.canaries.event(type, person) }));
    const tries = controls.flatMap((control, turn) =>
      wanted.flatMap((what) =>
        [contentOf(what), pairsOf(what)].map((texts) =>
          tryOf(look, control, { what, texts, turn }),
        ),
      ),
    );
    const named = controls.filter(({ type }) =>
      look.policy.data[type]?.['event-names']?.includes('*'),
    );
    // An event's name is text too; such an event may be refused as well as cleaned.
    const names = named.flatMap(({ type, event }) =>
      wanted.flatMap((what) =>
        contentOf(what)
          .filter(({ text }) => NAME.test(text))
          .map(({ text, secrets }) => ({
            type,
            what,
            secrets,
            nameless: true,
            event: { ...event, event: text } as Fields,
          })),
      ),
    );
    const seen = await readAll(look, [...tries, ...names], controls);
    if (!seen) return gap(saw`a canary could not be read back`);
    const leaked = new Set(
      seen
        .filter(({ text, secrets }) => secrets.some((one) => text.includes(one)))
        .map(({ what }) => what),
    );
    if (leaked.size > 0) return broken(saw`${terms([...leaked])} came through into a stored row`);
    return kept(
      saw`${seen.length} events with ${terms(wanted)} in every text of ${types.length} types: none of
 it in a stored row`,
    );
  },
});
