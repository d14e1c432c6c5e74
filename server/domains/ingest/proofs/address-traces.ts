/**
 * What of a row goes with the address that its event came from. The same is sent for two people
 * from the same addresses: a value that both have, and have otherwise from another address, tells
 * addresses apart, whatever was done to it.
 */
import { randomUUID } from 'node:crypto';
import { type Canary, type Fields, type Look, withFields } from '#core/looking';
import { type Addresses, isUnkeyed } from './addresses.ts';
import { postFrom } from './from-address.ts';
import { asText, type Held, held } from './sent.ts';

/** A row of each of two people, for each address. */
type Pairs = {
  readonly type: string;
  readonly addresses: readonly string[];
  readonly people: readonly (readonly Held[])[];
};

export type Sent = {
  readonly pairs: readonly Pairs[];
  readonly rows: readonly Held[];
  readonly wanted: number;
  /** The last answer that was no success; else 200. */
  readonly status: number;
};

type Event = Fields & { readonly messageId: string };
type Plan = Omit<Pairs, 'people'> & { readonly events: readonly (readonly Event[])[] };

/** Every type from passed-on addresses, and the first from addresses that requests come from. */
function plan({ canaries }: Look, people: readonly Canary[], { four, six, own }: Addresses) {
  const types = canaries.eventTypes;
  const said = types.map((type, at): Plan => {
    const addresses = at % 2 === 0 ? six : four;
    const eventOf = (person: Canary, ip: string): Event => {
      const event = canaries.event(type, person);
      const more = withFields(event, { ip, ip_address: ip, client: { ip } });
      const context = { ...(event['context'] as object), ip };
      return { ...more, context, ip, messageId: randomUUID() };
    };
    return {
      type,
      addresses,
      events: people.map((one) => addresses.map((ip) => eventOf(one, ip))),
    };
  });
  const [type = ''] = types;
  const plain = (person: Canary): Event => ({
    ...canaries.event(type, person),
    messageId: randomUUID(),
  });
  const came: Plan = {
    type,
    addresses: own,
    events: people.map((person) => own.map(() => plain(person))),
  };
  return { said, came };
}

async function readPairs(look: Look, { type, addresses, events }: Plan): Promise<Pairs> {
  const people: Held[][] = [];
  for (const some of events) {
    const rows: Held[] = [];
    for (const { messageId } of some) {
      const waitMs = people.length + rows.length === 0 ? 15_000 : 4_000;
      const row = await held(look, type, messageId, waitMs);
      if (row) rows.push(row);
    }
    people.push(rows);
  }
  return { type, addresses, people };
}

/** Sends for two people from every address, and reads back what is held of it. */
export async function sendFrom(
  look: Look,
  people: readonly Canary[],
  addresses: Addresses,
): Promise<Sent> {
  const { said, came } = plan(look, people, addresses);
  const plans = [...said, came];
  for (const { messageId } of plans.flatMap(({ events }) => events.flat()))
    await look.canaries.note(messageId);
  let status = 200;
  const post = async (from: string, batch: readonly Event[]) => {
    const path = `/v1/t/${look.tenant}/batch`;
    const answer = await postFrom(look, { from, path, key: look.writeKey, body: { batch } });
    if (answer !== 200) status = answer;
  };
  const [first = ''] = addresses.own;
  const atOnce = Math.min(look.policy.ingest?.limits?.batch ?? 100, 100);
  const batch = said.flatMap(({ events }) => events.flat());
  for (let at = 0; at < batch.length; at += atOnce) await post(first, batch.slice(at, at + atOnce));
  // In turn, so that nothing that goes with the time can look as if it went with the address.
  for (const events of came.events)
    for (const [at, event] of events.entries()) await post(came.addresses[at] ?? '', [event]);
  const pairs = await Promise.all(plans.map((one) => readPairs(look, one)));
  const rows = pairs.flatMap(({ people: both }) => both.flat());
  return { pairs, rows, wanted: batch.length + came.events.flat().length, status };
}

const valuesOf = ({ row, opened }: Held): ReadonlyMap<string, string> =>
  new Map(Object.entries({ ...row, ...opened }).map(([name, value]) => [name, asText(value)]));

export type Traces = {
  /** Fields that tell addresses of one network apart. */
  readonly ends: ReadonlySet<string>;
  /** Fields that tell parts of networks apart, and no more. */
  readonly parts: ReadonlySet<string>;
  /** Of the first, those whose value anybody can compute from the address. */
  readonly unkeyed: ReadonlySet<string>;
};

/** Fields of both people that are one for the one address and another for the other. */
function telling({ people }: Pairs, one: number, other: number): string[] {
  const values = people.map((rows) => rows.map(valuesOf));
  const [first] = values;
  const names = [...(first?.[one]?.keys() ?? [])];
  return names.filter((name) => {
    const [here, there] = [one, other].map((at) => new Set(values.map((of) => of[at]?.get(name))));
    return here?.size === 1 && there?.size === 1 && [...here][0] !== [...there][0];
  });
}

export function tracesIn(pairs: readonly Pairs[]): Traces {
  const [ends, parts, unkeyed] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const one of pairs) {
    const [row] = one.people[0] ?? [];
    for (const name of telling(one, 0, 1)) {
      ends.add(name);
      const value = row && valuesOf(row).get(name);
      if (isUnkeyed(value ?? '', one.addresses[0] ?? '')) unkeyed.add(name);
    }
    for (const name of one.addresses.length > 2 ? telling(one, 0, 2) : []) parts.add(name);
  }
  return { ends, parts: parts.difference(ends), unkeyed };
}
