import { randomUUID } from 'node:crypto';
import {
  asClient,
  type Canary,
  type Fields,
  type Look,
  momentOf,
  readAt,
  typesByPerson,
} from '#core/looking';
import { broken, defineProof, gap, kept, type Saw, type Seen, saw, term } from '#core/promises';

/** Those whose steps are looked for. Of each there are two, so that the one is told from the other. */
const KINDS = {
  consented: { mode: 'identified', agrees: true, withdraws: false },
  withdrawn: { mode: 'identified', agrees: true, withdraws: true },
  pseudonymous: { mode: 'pseudonymous', agrees: true, withdraws: false },
  silent: { mode: 'pseudonymous', agrees: false, withdraws: false },
} as const;
type Kind = keyof typeof KINDS;
const NAMES = Object.keys(KINDS) as Kind[];

type Someone = { readonly kind: Kind; readonly canary: Canary };
/** Two steps of somebody in one type: the numbers of the rows, and whom they are stored under. */
type Steps = Someone & { readonly messages: readonly string[]; readonly subjects: Set<string> };

/** Two of each kind; those who agree have done so. */
async function cast(look: Look): Promise<Someone[]> {
  const kinds = [...NAMES, ...NAMES];
  return Promise.all(
    kinds.map(async (kind) => {
      const canary = KINDS[kind].agrees ? await look.canaries.agreeing() : look.canaries.person();
      return { kind, canary };
    }),
  );
}

/** The same step of everybody; nothing but the name that the page gives is the same for two. */
function step(look: Look, type: string, values: Canary, { kind, canary }: Someone): Fields {
  const event = look.canaries.event(type, values);
  return {
    ...event,
    ...('traits' in event ? { traits: {} } : {}),
    userId: canary.userId,
    anonymousId: look.canaries.person().anonymousId,
    sessionId: randomUUID(),
    context: { mode: KINDS[kind].mode },
  };
}

/** Sends two steps of everybody in one request, and finds which are stored. */
async function walk(look: Look, type: string, people: readonly Someone[]): Promise<Steps[]> {
  const { canaries } = look;
  const values = canaries.person();
  const events = [...people, ...people].map((someone) => step(look, type, values, someone));
  const { messages } = await canaries.send(events);
  // The first of them agreed to everything. What came in with it lies beside it.
  await canaries.stored(type, messages[0] ?? '');
  return Promise.all(
    people.map(async (someone, at) => {
      const own = [messages[at] ?? '', messages[at + people.length] ?? ''];
      const found = await Promise.all(own.map((message) => canaries.stored(type, message, 0)));
      const rows = found.flat();
      const subjects = new Set(rows.map(({ subject }) => subject));
      return { ...someone, messages: rows.map((row) => String(row['message'])), subjects };
    }),
  );
}

/**
 * A column that is the same in all of somebody's rows and in none of another's.
 *
 * @throws Error where there is no other to tell them from.
 */
function followedBy(own: readonly Fields[], others: readonly Fields[]): string | undefined {
  const [first] = own;
  if (first === undefined || own.length < 2) return undefined;
  if (others.length === 0) throw new Error('nobody else is shown');
  const text = (row: Fields, column: string) => JSON.stringify(row[column]);
  return Object.keys(first).find((column) => {
    const value = text(first, column);
    return (
      own.every((row) => text(row, column) === value) &&
      others.every((row) => text(row, column) !== value)
    );
  });
}

type Shown = { readonly rows: readonly Fields[]; readonly column: string | undefined };

/** What a reading for a purpose shows of each kind. @throws Error when it is refused. */
async function reading(look: Look, type: string, purpose: string, steps: readonly Steps[]) {
  const one = steps[0]?.messages[0] ?? '';
  const { status, rows } = await readAt(look, await momentOf(look, type, one), purpose);
  if (status !== 200) throw new Error('a reading was refused');
  const shownOf = ({ messages }: Steps) =>
    rows.filter((row) => messages.includes(String(row['message'])));
  const seen = NAMES.map((kind): [Kind, Shown] => {
    const [own, twin] = steps.filter((one) => one.kind === kind).map(shownOf);
    return [kind, { rows: own ?? [], column: followedBy(own ?? [], twin ?? []) }];
  });
  return Object.fromEntries(seen) as Record<Kind, Shown>;
}

/** Why what a reading shows is not as it should be. */
function wrongIn(shown: Record<Kind, Shown>, purpose: string, isBound: boolean): Saw | undefined {
  const others = NAMES.filter((kind) => kind !== 'consented');
  const followed = others.find((kind) => shown[kind].column !== undefined);
  if (followed !== undefined) {
    const by = term(shown[followed].column ?? '');
    return saw`read for ${term(purpose)}, two steps of somebody ${term(followed)} are joined by ${by}`;
  }
  if (!isBound) return undefined;
  const late = shown.withdrawn.rows.length + shown.silent.rows.length;
  if (late > 0) return saw`${late} steps of people without a yes are read for ${term(purpose)}`;
  if (shown.consented.column === undefined)
    return saw`the steps of somebody who agreed cannot be followed for ${term(purpose)}`;
  return undefined;
}

async function withdraw(look: Look, people: readonly Someone[], purpose: string): Promise<void> {
  for (const { kind, canary } of people) {
    if (!KINDS[kind].withdraws) continue;
    const body = { handle: { userId: canary.userId }, preferences: { [purpose]: false } };
    const told = await asClient(look, '/consents/preferences', { method: 'PUT', body });
    if (told.status !== 200) throw new Error('a decision was not taken');
  }
}

/** Nothing where the steps are there, and in the store under one id each: that can be hidden. */
function unfit(steps: readonly Steps[]): Seen | undefined {
  const there = steps.filter(({ messages }) => messages.length === 2);
  const kinds = new Set(there.map(({ kind }) => kind));
  if ((['consented', 'withdrawn', 'pseudonymous'] as const).some((kind) => !kinds.has(kind)))
    return gap(saw`a step could not be read back from the store`);
  if (there.some(({ subjects }) => subjects.size !== 1))
    return gap(saw`two steps of one person are under two ids already in the store`);
  return undefined;
}

export const journeysConsented = defineProof({
  control: 'identify.journeys-consented',
  strength: 'protocol',
  blindTo:
    'Steps of one session, which are one whoever it was; what the login of the server sees of the store before it answers.',
  async prove(look, { purpose: bound }) {
    const purpose = String(bound);
    if (look.policy.identify?.consent !== purpose)
      return broken(
        saw`the policy does not ask for ${term(purpose)} before it identifies somebody`,
      );
    const people = await cast(look);
    const types = typesByPerson(look);
    const walked = new Map<string, Steps[]>();
    for (const type of types) walked.set(type, await walk(look, type, people));
    await withdraw(look, people, purpose);
    let [readings, journeys] = [0, 0];
    for (const [type, steps] of walked) {
      const lost = unfit(steps);
      if (lost) return lost;
      for (const name of look.policy.data[type]?.purposes ?? []) {
        const wrong = wrongIn(await reading(look, type, name, steps), name, name === purpose);
        if (wrong) return broken(wrong);
        readings += 1;
        if (name === purpose) journeys += 1;
      }
    }
    if (journeys === 0) return gap(saw`nothing is read for ${term(purpose)}`);
    return kept(
      saw`in ${readings} readings of ${types.length} types nothing joins two steps of people who were silent, pseudonymous or had withdrawn, though the store has them under one id; ${journeys} of ${journeys} readings for ${term(purpose)} join those of who was identified and agreed`,
    );
  },
});
