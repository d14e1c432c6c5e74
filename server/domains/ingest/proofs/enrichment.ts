import { setTimeout as sleep } from 'node:timers/promises';
import type { Look } from '#core/looking';
import {
  broken,
  defineProof,
  gap,
  kept,
  type Seen,
  saw,
  term,
  terms,
  wordsOf,
} from '#core/promises';
import { ALL, addedBy, sendRich, typesOf } from './enriched.ts';
import { asText, type Held, valueIn } from './sent.ts';
import { type Switch, switchesOf } from './switches.ts';
import { inTurn } from './turns.ts';

/** Off in every type: nothing of it in any row, and the switch is not on. */
async function proveOff(look: Look, names: readonly string[]): Promise<Seen> {
  const types = typesOf(look);
  const [sent, switches] = [await sendRich(look, types), await switchesOf(look)];
  if (!sent || !switches) return gap(saw`a canary could not be read back`);
  for (const name of names) {
    if (switches.get(name)?.enabled) return broken(saw`${term(name)} is switched on`);
    const added = sent.rows.filter((row) => addedBy(name, row).length > 0).length;
    if (added > 0) return broken(saw`${term(name)} was added to ${added} events though it is off`);
  }
  const told = sent.rows.filter(({ text }) =>
    sent.secrets.some((one) => text.includes(one)),
  ).length;
  if (told > 0) return broken(saw`a full referrer, or coordinates, stand in ${told} rows`);
  return kept(
    saw`${terms(names)}: off, and nothing of it, nor of coordinates and referrers that were sent, in
 ${sent.rows.length} rows of ${types.length} types`,
  );
}

/** On, and nobody can switch it off. */
async function proveAlwaysOn(look: Look, names: readonly string[]): Promise<Seen> {
  for (const name of names) {
    const refused = await look.operator(`/v1/t/${look.tenant}/enrichments/${name}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: { enabled: false, forSeconds: 1 },
    });
    if (refused.status !== 409)
      return broken(saw`switching ${term(name)} off was answered ${refused.status}`);
  }
  const sent = await sendRich(look, typesOf(look).slice(0, 1));
  if (!sent) return gap(saw`a canary could not be read back`);
  const bare = names.filter((name) => sent.rows.some((row) => addedBy(name, row).length === 0));
  if (bare.length > 0) return broken(saw`${terms(bare)} was not added`);
  const offset = asText(valueIn(sent.rows[0] as Held, 'utc_offset_minutes'));
  return kept(
    saw`${terms(names)} added (${term(offset)} minutes in Kolkata); switching it off got 409`,
  );
}

type Flip = { readonly on: readonly Held[]; readonly off: readonly Held[] };

const FOR_SECONDS = 6;

/** For a moment, so that nothing is left switched whatever becomes of this process. */
async function flip(look: Look, switches: readonly Switch[], back: boolean): Promise<boolean> {
  const told = await Promise.all(
    switches.map(({ name, enabled }) =>
      look.operator(`/v1/t/${look.tenant}/enrichments/${name}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: { enabled: back ? enabled : !enabled, forSeconds: back ? 1 : FOR_SECONDS },
      }),
    ),
  );
  return told.every(({ status }) => status === 200);
}

/** Switches that nobody but this proof has turned since it first looked. */
async function areSame(look: Look, before: readonly Switch[]): Promise<boolean> {
  const now = await switchesOf(look);
  return before.every(({ name, enabled }) => now?.get(name)?.enabled === enabled);
}

/** Whether all of these came in while the switches stood the other way. */
const cameBy = (rows: readonly Held[], end: number) =>
  rows.every(({ row }) => Date.parse(row.received_at) < end);

/** Sends canaries under the switches as they are, and for a moment under their opposite. */
async function lookBothWays(look: Look): Promise<ReadonlyMap<string, Flip> | undefined> {
  const states = await switchesOf(look);
  const free = [...(states?.values() ?? [])].filter(({ canDisable }) => canDisable);
  const types = typesOf(look).slice(0, 1);
  const before = await sendRich(look, types);
  const stillSame = await areSame(look, free);
  // Received times are to the second.
  const end = Date.now() + (FOR_SECONDS - 1) * 1_000;
  const turned = stillSame && (await flip(look, free, false));
  const during = turned ? await sendRich(look, types) : undefined;
  if (turned) await flip(look, free, true);
  if (!before || !during || !cameBy(during.rows, end)) return undefined;
  // The moment is over before the next proof may look.
  await sleep(1_100, undefined, { signal: look.signal });
  if (!(await areSame(look, free))) return undefined;
  return new Map(
    free.map(({ name, enabled }) => {
      const [on, off] = enabled ? [before, during] : [during, before];
      return [name, { on: on.rows, off: off.rows }];
    }),
  );
}

async function proveSwitch(look: Look, names: readonly string[]): Promise<Seen> {
  const seen = await look.once('enrichments both ways', (whole) =>
    inTurn(whole, 'enrichments', () => lookBothWays(whole)),
  );
  if (!seen) {
    return gap(
      saw`the switches could not be turned, were turned by somebody else at the same time, or a canary could not be read back`,
    );
  }
  const found: string[] = [];
  for (const one of names) {
    const flips = seen.get(one);
    if (!flips) return broken(saw`${term(one)} cannot be switched`);
    if (flips.off.some((row) => addedBy(one, row).length > 0)) {
      return broken(saw`${term(one)} was added while it was off`);
    }
    if (flips.on.some((row) => addedBy(one, row).length === 0)) {
      return broken(saw`${term(one)} was not added while it was on`);
    }
    const [first, second] = flips.on;
    if (one === 'session' && first?.row['session'] !== second?.row['session']) {
      return broken(saw`two events of one session have two numbers`);
    }
    found.push(`${one} (${addedBy(one, first as Held).length} values)`);
  }
  return kept(saw`on, events carried ${terms(found)}; off for a moment, none of it`);
}

export const enrichment = defineProof({
  control: 'ingest.enrichment',
  strength: 'stored-bytes',
  blindTo: 'Regions and cities, where the location file in use knows countries only.',
  async prove(look, { enrichment: bound, switch: how }) {
    const names = wordsOf(bound);
    if (names.some((name) => !ALL.includes(name))) return gap(saw`there is no probe for this`);
    if (how === 'always-off') return proveOff(look, names);
    if (how === 'always-on') return proveAlwaysOn(look, names);
    return proveSwitch(look, names);
  },
});
