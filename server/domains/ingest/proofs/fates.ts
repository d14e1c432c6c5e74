/** Events with what has to become of each: the reasons to drop one that a proof may give. */
import { randomUUID } from 'node:crypto';
import {
  type Ask,
  asClient,
  type Fields,
  type Look,
  typesByPerson,
  withFields,
} from '#core/looking';

export type Fate =
  | 'stored'
  | 'repeated'
  | { readonly dropped: string }
  | { readonly refused: string };
export type Sent = { readonly type: string; readonly event: Fields; readonly fate: Fate };
/** One request. */
export type Batch = { readonly ask: Ask; readonly sent: readonly Sent[] };

const GOOD = 24;
const WRONG = 5;
const TWICE = 6;
const FEW = 3;

const SIGNALS = [
  ['gpc', 'sec-gpc'],
  ['do-not-sell', 'x-do-not-sell'],
  ['dnt', 'dnt'],
] as const;

const times = (count: number, one: Omit<Sent, 'event'>, event: Fields): Sent[] =>
  Array.from({ length: count }, () => ({ ...one, event: { ...event, messageId: randomUUID() } }));

/** A type all of whose purposes are as they should be. */
const typeFor = ({ canaries, policy }: Look, is: (purpose: string) => boolean) =>
  canaries.eventTypes.find((id) => policy.data[id]?.purposes.every(is));

/** Events that are kept, some of them sent twice, and some that are not of the declared shape. */
function plain(look: Look): Sent[] | undefined {
  const { canaries, policy } = look;
  const type = canaries.eventTypes.find((id) => policy.data[id]?.key === 'period');
  const fields = Object.values(policy.compiled.data[type ?? '']?.fields ?? {});
  const number = fields.find((field) => field.type === 'number');
  if (type === undefined || !number) return undefined;
  const event = canaries.event(type, canaries.person());
  const good = times(GOOD, { type, fate: 'stored' }, event);
  const twice = good.slice(0, TWICE).map((one): Sent => ({ ...one, fate: 'repeated' }));
  const broken = withFields(event, { [number.name]: 'not a number' });
  return [...good, ...times(WRONG, { type, fate: { refused: 'wrong-schema' } }, broken), ...twice];
}

/** What needs a consent: of somebody who gave it, of somebody silent, and of who wants least. */
async function unasked(look: Look): Promise<Sent[]> {
  const { canaries, policy } = look;
  const type = typeFor(look, (name) => {
    const { basis, optional } = policy.purposes[name] ?? {};
    return basis === 'consent' && optional === true;
  });
  if (type === undefined) return [];
  const [yes, silent] = [await canaries.agreeing(), canaries.person()];
  const full = canaries.event(type, yes);
  const least = { ...full, context: { ...(full['context'] as Fields), scope: 'minimal' } };
  return [
    ...times(1, { type, fate: 'stored' }, full),
    ...times(FEW, { type, fate: { dropped: 'scope-limited' } }, least),
    ...times(FEW, { type, fate: { dropped: 'no-consent' } }, canaries.event(type, silent)),
  ];
}

/** Who names a person without their consent, or says more of them than the mode has a place for. */
function unidentified({ canaries, policy }: Look): Sent[] {
  const type = canaries.eventTypes.find((id) =>
    policy.data[id]?.['event-names']?.includes('type:identify'),
  );
  const { modes = [], consent } = policy.identify ?? {};
  if (type === undefined || consent === undefined || modes.length < 3) return [];
  const { userId, anonymousId, marker } = canaries.person();
  const traits = { email: `${marker}@example.com` };
  const call = (mode: string) => ({
    type: 'identify',
    userId,
    anonymousId,
    traits,
    context: { mode },
  });
  const refused = (code: string) => ({ type, fate: { refused: code } });
  return [
    ...times(FEW, refused('identify-no-consent'), call('identified')),
    ...times(FEW, refused('identify-personal-data'), call('pseudonymous')),
    ...times(FEW, refused('identify-refused'), call('anonymous')),
  ];
}

/** What comes late about somebody who was erased, of a type that needs no consent. */
async function late(look: Look): Promise<Sent[]> {
  const { canaries, policy } = look;
  const isFree = (purpose: string) => policy.purposes[purpose]?.basis !== 'consent';
  const type = typesByPerson(look).find((id) => policy.data[id]?.purposes.some(isFree));
  if (type === undefined) return [];
  const person = await canaries.agreeing();
  // On record while the name still leads to somebody.
  await canaries.subjectOf('user', person.userId);
  const handle = { kind: 'user', value: person.userId };
  const told = await asClient(look, '/erasures', {
    body: { handle, confirm: true, complete: true },
  });
  if (told.status !== 202) throw new Error('a demand was not taken in');
  const event = canaries.event(type, person);
  return times(FEW, { type, fate: { dropped: 'person-erased' } }, event);
}

/** A request for each signal that closes a purpose, for somebody who had agreed to it. */
async function signalled(look: Look): Promise<Batch[]> {
  const { canaries, policy } = look;
  const batches: Batch[] = [];
  for (const [name, header] of SIGNALS) {
    const withdraws: readonly string[] = policy.consent?.signals?.[name]?.withdraws ?? [];
    const type = typeFor(look, (purpose) => withdraws.includes(purpose));
    if (type === undefined) continue;
    const event = canaries.event(type, await canaries.agreeing());
    const sent = times(FEW, { type, fate: { dropped: `signal-${name}` } }, event);
    batches.push({ ask: { headers: { [header]: '1' } }, sent });
  }
  return batches;
}

/** Everything to send; `undefined` where the policy has no type for it. */
export async function batchesFor(look: Look): Promise<readonly Batch[] | undefined> {
  const kept = plain(look);
  if (!kept) return undefined;
  const sent = [...kept, ...(await unasked(look)), ...unidentified(look), ...(await late(look))];
  return [{ ask: {}, sent }, ...(await signalled(look))];
}
