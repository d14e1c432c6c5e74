import type { Canary, Look, StoredRow } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, term, terms } from '#core/promises';
import { gatedBy } from './gates.ts';
import { arrivals, arrived, BROWSER, type Sending, send, standings } from './people.ts';
import { receiptsOf } from './receipts.ts';

type Name = 'gpc' | 'dnt' | 'do-not-sell';

const HEADERS: Readonly<Record<Name, Readonly<Record<string, string>>>> = {
  gpc: { 'sec-gpc': '1' },
  dnt: { dnt: '1' },
  'do-not-sell': { 'x-do-not-sell': '1' },
};

/** What every table has, whatever was sent. */
const OWN = new Set(
  'received_at event_at name subject message batch expires mode session'.split(' '),
);

const withdrawsBy = ({ policy }: Look, signal: Name): readonly string[] =>
  policy.consent?.signals?.[signal]?.withdraws ?? [];

/** Purposes of which a signal is on record for somebody. */
async function recorded(look: Look, person: Canary, signal: Name): Promise<Set<string>> {
  const receipts = await receiptsOf(look, person);
  const said = receipts.filter((one) => one.kind === 'signal' && one.signal === signal);
  return new Set(said.filter(({ granted }) => !granted).map(({ purpose }) => purpose));
}

/** Sends an event of any type for somebody who is known, in a browser that gives the signal. */
async function speak(look: Look, signal: Name): Promise<Canary> {
  const person = await look.canaries.agreeing();
  const [type = ''] = look.canaries.eventTypes;
  await send(look, { type, person, headers: HEADERS[signal] });
  return person;
}

async function isRead(look: Look, signal: Name): Promise<Seen> {
  const person = await speak(look, signal);
  const purposes = withdrawsBy(look, signal);
  const onRecord = await recorded(look, person, signal);
  const told = await standings(look, person, HEADERS[signal]);
  const deaf = purposes.filter(
    (purpose) => !onRecord.has(purpose) || told[purpose]?.because !== `signal-${signal}`,
  );
  if (deaf.length > 0) return broken(saw`the signal was not heard for ${terms(deaf)}`);
  const silent = await look.canaries.agreeing();
  const unasked = await standings(look, silent);
  if (purposes.some((purpose) => !unasked[purpose]?.granted)) {
    return gap(saw`without the signal the purposes do not stand either`);
  }
  return kept(
    saw`read with an event and with a question: ${purposes.length} of ${purposes.length} purposes closed by it, and on record`,
  );
}

async function isRecorded(look: Look, signal: Name): Promise<Seen> {
  // Whoever may not be sold says so with either.
  const also: readonly Name[] =
    signal === 'do-not-sell' && look.policy.consent?.signals?.gpc ? ['gpc'] : [];
  let records = 0;
  for (const name of [signal, ...also]) {
    const silent = await look.canaries.agreeing();
    if ((await recorded(look, silent, name)).size > 0) return gap(saw`there was a record before`);
    const found = await recorded(look, await speak(look, name), name);
    const missing = withdrawsBy(look, name).filter((purpose) => !found.has(purpose));
    if (missing.length > 0) {
      return broken(saw`${term(name)} left no record for ${terms(missing)}`);
    }
    records += found.size;
  }
  return kept(
    saw`${terms([signal, ...also])} sent for a person: ${records} opt-outs stored, one for each purpose that it closes`,
  );
}

async function withdraws(look: Look, signal: Name): Promise<Seen> {
  const types = withdrawsBy(look, signal).flatMap((purpose) => gatedBy(look, purpose));
  if (types.length === 0) return gap(saw`nothing is collected for what the signal closes`);
  const person = await look.canaries.agreeing();
  const headers = HEADERS[signal];
  // A signal stands from its first hearing on, so what is sent without it comes first.
  const silent = types.map((type): Sending => ({ type, person }));
  const spoken = types.flatMap((type): Sending[] => [
    { type, person, headers },
    { type, person: look.canaries.person(), headers },
  ]);
  const stored = await arrivals(look, [...silent, ...spoken]);
  const heard = stored.slice(silent.length).filter((is) => is).length;
  if (heard > 0) return broken(saw`${heard} events were stored in spite of the signal`);
  if (stored.slice(0, silent.length).some((is) => !is)) {
    return gap(saw`the same events did not arrive without the signal either`);
  }
  return kept(
    saw`${types.length} of ${types.length} types (${terms(types)}) were stored without the signal and not with it, also against an earlier yes`,
  );
}

/** The columns of a row that hold something that was sent or found out. */
const filled = (row: StoredRow | undefined): string[] =>
  Object.entries(row ?? {})
    .filter(([name, value]) => !OWN.has(name) && value !== '' && value !== null && value !== '0')
    .map(([name]) => name);

/** Columns that only a purpose which the signal closes may fill. */
function optionalColumns(look: Look, type: string, closed: ReadonlySet<string>): Set<string> {
  const { data, ingest } = look.policy;
  const isClosed = (purposes: readonly string[]) => purposes.every((name) => closed.has(name));
  const all = isClosed(
    data[type]?.['consent-purpose']
      ? [data[type]['consent-purpose']]
      : (data[type]?.purposes ?? []),
  );
  const fields = Object.entries(data[type]?.fields ?? {}).filter(([, field]) => {
    const own = typeof field === 'object' ? field.purposes : undefined;
    return all || (own !== undefined && isClosed(own));
  });
  const { geolocation, device } = ingest?.enrich ?? {};
  const places = geolocation?.purpose !== undefined && closed.has(geolocation.purpose);
  const devices = device?.purpose !== undefined && closed.has(device.purpose);
  return new Set([
    ...fields.map(([name]) => `f_${name}`),
    ...(all ? ['sealed'] : []),
    ...(all || places ? ['country'] : []),
    ...(all || devices ? ['device', 'os', 'browser'] : []),
  ]);
}

async function minimises(look: Look, signal: Name): Promise<Seen> {
  const closed = new Set(withdrawsBy(look, signal));
  const person = await look.canaries.agreeing();
  const types = look.canaries.eventTypes;
  const sent: { type: string; message: string }[] = [];
  for (const headers of [BROWSER, { ...BROWSER, ...HEADERS[signal] }]) {
    for (const type of types) {
      sent.push({ type, message: await send(look, { type, person, headers }) });
    }
  }
  await arrived(look, sent);
  let [without, within] = [0, 0];
  for (const [index, type] of types.entries()) {
    const [full = '', least = ''] = [sent[index], sent[types.length + index]].map(
      (one) => one?.message,
    );
    const [row] = await look.canaries.stored(type, full, 0);
    const [reduced] = await look.canaries.stored(type, least, 0);
    if (!row) return gap(saw`a canary in ${term(type)} did not arrive without the signal either`);
    const optional = optionalColumns(look, type, closed);
    const extra = filled(reduced).filter((name) => optional.has(name));
    if (extra.length > 0) {
      return broken(saw`stored in spite of the signal, in ${term(type)}: ${terms(extra)}`);
    }
    without += filled(row).length;
    within += filled(reduced).length;
  }
  if (within >= without) return broken(saw`the signal reduced nothing of ${without} values`);
  return kept(
    saw`one event of each of ${types.length} types: ${without} values stored without the signal, ${within} with it, none of them of an optional purpose`,
  );
}

export const signal = defineProof({
  control: 'consent.signal',
  strength: 'stored-bytes',
  blindTo: 'What a page does by itself; a signal of somebody who is not known leaves no record.',
  async prove(at, { signal: bound, effect }) {
    const name = bound as Name;
    if (withdrawsBy(at, name).length === 0) {
      return broken(saw`the policy names nothing that ${term(name)} closes`);
    }
    if (effect === 'read') return isRead(at, name);
    if (effect === 'opt-out-recorded') return isRecorded(at, name);
    if (effect === 'withdraws') return withdraws(at, name);
    if (effect === 'minimises') return minimises(at, name);
    return gap(saw`this version sends nothing to others, so there is no sending to look at`);
  },
});
