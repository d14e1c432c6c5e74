import { randomInt } from 'node:crypto';
import { type Look, withFields } from '#core/looking';
import { broken, defineProof, eachType, gap, kept, type Seen, saw, term } from '#core/promises';
import { asText, type Held, type Sending, sendAndRead, valueIn } from './sent.ts';
import { isSwitchedOff } from './switches.ts';
import { inTurn } from './turns.ts';

/** What is sent, what must be left of it, and what must be nowhere. */
type Probe = {
  readonly sendings: readonly Sending[];
  readonly userAgent?: string;
  /** The stored value, and what it must be. */
  readonly left: (held: Held) => string;
  readonly expected: string;
  readonly secrets: readonly string[];
};

type Given = { readonly look: Look; readonly type: string; readonly field: string };

const MONTH = '2025-01';

/** Without the field itself: the platform has to find the value, and what is sent must not help. */
function eventWithout(look: Look, { type, field }: { type: string; field: string }) {
  const person = look.canaries.person();
  const event = look.canaries.event(type, person);
  return { person, event: withFields(event, { [field]: undefined }) };
}

/** A header with a word that nobody else has in it, as each browser's build has. */
function agentProbe({ look, type, field }: Given, expected: string): Probe {
  const { event } = eventWithout(look, { type, field });
  const { marker } = look.canaries.person();
  // As long as this, no number and no id of the row holds it by chance.
  const build = String(randomInt(100_000_000_000, 1_000_000_000_000));
  const userAgent =
    `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) ` +
    `Chrome/126.0.${build}.61 Safari/537.36 ${marker}/4.7`;
  const isDeclared = look.policy.data[type]?.fields?.[field] !== undefined;
  // A class is a word that a sender may give; a whole header is none.
  const told = isDeclared && expected === 'Chrome' ? { [field]: userAgent } : {};
  const more = { device_id: marker, fingerprint: marker };
  const context = { ...(event['context'] as object), device: { id: marker, model: marker } };
  const column = expected === 'Chrome' ? 'browser' : 'device';
  return {
    sendings: [
      { type, event: { ...withFields(event, more), context } },
      { type, event: { ...withFields(event, more), context: { ...context, userAgent } } },
      { type, event: { ...withFields(event, { ...more, ...told }), context } },
    ],
    userAgent,
    left: (held) => asText(isDeclared ? valueIn(held, field) : held.row[column]),
    expected,
    secrets: [marker, 'AppleWebKit', 'x86_64', build],
  };
}

function originProbe({ look, type, field }: Given): Probe {
  const { person, event } = eventWithout(look, { type, field });
  const { marker } = person;
  const referrer = `https://${marker}:pw@shop.example/${marker}?basket=${marker}#${marker}`;
  return {
    sendings: [
      { type, event: { ...withFields(event, NO_TEXT), context: { page: { referrer } } } },
      { type, event: withFields(event, { ...NO_TEXT, [field]: referrer }) },
    ],
    left: (held) => asText(valueIn(held, field)),
    expected: 'https://shop.example',
    secrets: [marker],
  };
}

/** The texts of the canary's event hold its marker, which is looked for here. */
const NO_TEXT = Object.fromEntries(
  'path title campaign category label region city'.split(' ').map((name) => [name, undefined]),
);

function monthProbe({ look, type, field }: Given): Probe {
  const { event } = eventWithout(look, { type, field });
  const dates = [`${MONTH}-17`, `${MONTH}-17T10:11:12.000Z`];
  const pseudonymous = { ...event, context: { mode: 'pseudonymous' } };
  const only = (value: unknown) => ({
    ...pseudonymous,
    traits: { [field]: value },
  });
  return {
    sendings: dates.map((date) => ({ type, event: only(date) })),
    left: (held) => asText(valueIn(held, field)),
    expected: MONTH,
    secrets: dates,
  };
}

function probeOf(given: Given, to: string): Probe | undefined {
  if (to === 'browser-family') return agentProbe(given, 'Chrome');
  if (to === 'device-class') return agentProbe(given, 'desktop');
  if (to === 'origin') return originProbe(given);
  return to === 'month' ? monthProbe(given) : undefined;
}

/** The enrichment that finds the value. A service may do without: then nothing is to be found. */
const FOUND_BY: Readonly<Record<string, string>> = {
  'browser-family': 'device',
  'device-class': 'device',
  origin: 'referrer',
};

async function lookAt(given: Given, to: string): Promise<Seen> {
  const probe = probeOf(given, to);
  if (!probe) return gap(saw`there is no probe for ${term(to)}`);
  const { sendings, userAgent, left, expected, secrets } = probe;
  const finder = FOUND_BY[to];
  const isOff = finder !== undefined && (await isSwitchedOff(given.look, finder));
  const headers = userAgent === undefined ? {} : { headers: { 'user-agent': userAgent } };
  const found = await sendAndRead(given.look, sendings, headers);
  if (found.length === 0 || found.includes(undefined)) {
    return gap(saw`a canary in ${term(given.type)} could not be read back`);
  }
  for (const held of found as Held[]) {
    if (secrets.some((secret) => held.text.includes(secret))) {
      return broken(saw`${term(given.field)} was stored with more than its ${term(to)}`);
    }
    const value = left(held);
    if (value !== expected && !(isOff && value === '')) {
      return broken(saw`${term(given.field)} was not stored as ${term(expected)}`);
    }
  }
  if (isOff) {
    return kept(
      saw`${term(finder)} is switched off for this service: in ${found.length} canaries nothing of
 ${term(given.field)} was stored but ${term(expected)}, where the sender said so itself`,
    );
  }
  return kept(
    saw`${found.length} canaries: of ${term(given.field)} only ${term(expected)} is left`,
  );
}

export const valueReduced = defineProof({
  control: 'ingest.value-reduced',
  strength: 'stored-bytes',
  blindTo: 'A short word that the sender itself writes into the declared field.',
  prove: (look, { data, field, to }) =>
    eachType(data, async (type) => {
      const given = { look, type, field: field as string };
      const seen = await inTurn(look, 'enrichments', () => lookAt(given, to as string));
      return seen ?? gap(saw`another look at the enrichments was under way all the time`);
    }),
});
