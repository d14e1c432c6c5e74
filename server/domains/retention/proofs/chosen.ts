/**
 * A customer's choices, made for regions that no place has the code of: rows of several ages are
 * planted there first, and looked for after. One pass a round, for every promise about a choice.
 */
import { type Look, secondsInDuration } from '#core/looking';

import { whereAre } from './ages.ts';

const DAY_MS = 86_400_000;
/** So much before its end a row must be gone: it would reach it before anybody looked again. */
const EARLY_MS = 5 * 60_000;
/** A row of this part of its life must be there: a region's end may come a day early. */
const STILL = 0.9;

/** Nobody is there. ISO 3166-1 leaves QM to QZ to its users. */
const REGIONS = { custom: 'QM', extended: 'QN', immediate: 'QO', regional: 'QP' } as const;
const UNCHOSEN = 'QZ';

export type ChoiceKind = keyof typeof REGIONS;

/** What is asked for: the name of an option, or a length of the customer's own. */
export type Wanted = {
  readonly dataType: string;
  readonly choices: Readonly<Record<ChoiceKind, string>>;
};

export type Outcome = {
  readonly status: number;
  /** Of rows at the end of the chosen life, and of younger ones; empty where none was planted. */
  readonly rows: readonly (Age & {
    readonly isThere: boolean;
    /** Whether one as old is there where nothing was chosen. */
    readonly isUnchosenThere: boolean;
  })[];
};

export type Chosen = {
  readonly outcomes: Readonly<Record<ChoiceKind, Outcome>>;
  /** How a day more than the longest option was answered, and whether it was written down. */
  readonly beyond: { readonly status: number; readonly isStored: boolean };
};

const lengthOf = (text: string): number => (secondsInDuration(text) ?? Number.NaN) * 1_000;

/** A choice as the document spells it out: an option by its name, or the length itself. */
export function chosenMs({ policy }: Look, dataType: string, choice: string): number {
  const options = policy.data[dataType]?.['retain-options'] as Record<string, string> | undefined;
  return lengthOf(options?.[choice] ?? choice);
}

async function choose(look: Look, dataType: string, region: string, choice: string | null) {
  const path = `/v1/t/${look.tenant}/retention/${dataType}`;
  return (await look.operator(path, { method: 'PUT', body: { region, choice } })).status;
}

type Age = { readonly ageMs: number; readonly isPast: boolean };

/**
 * The ages to plant: at the end of a life, and well inside of it. Of what is to end at once, one is
 * from a little later than now: what is due, the engine's own expiry ends too, and a late sweep
 * would be hidden by it.
 */
function agesOf(lifeMs: number): readonly Age[] {
  const end = { ageMs: lifeMs - EARLY_MS, isPast: true };
  return [
    end,
    lifeMs === 0 ? { ageMs: 0, isPast: true } : { ageMs: lifeMs * STILL, isPast: false },
  ];
}

type Planted = Age & { readonly there: string; readonly unchosen: string };

async function plant(look: Look, dataType: string, kind: ChoiceKind, lifeMs: number) {
  const now = (await look.now()).getTime();
  const rows: Planted[] = [];
  for (const { ageMs, isPast } of agesOf(lifeMs)) {
    const at = [new Date(now - ageMs)];
    // What is older than this has left the active tier by itself.
    const tier = ageMs > 80 * DAY_MS ? 'archive' : 'active';
    const [there = ''] = await look.canaries.backdated(dataType, at, tier, REGIONS[kind]);
    const [unchosen = ''] = await look.canaries.backdated(dataType, at, tier, UNCHOSEN);
    rows.push({ ageMs, isPast, there, unchosen });
  }
  return rows;
}

async function storedChoices({ sql, tenant }: Look, dataType: string): Promise<Set<string>> {
  const rows = await sql<{ region: string; choice: string }[]>`
    select region, choice
    from troth.retention_choices
    where tenant = ${tenant} and data_type = ${dataType}`;
  return new Set(rows.map(({ region, choice }) => `${region} ${choice}`));
}

/** One day more than the longest life that the document offers. */
function dayMore(look: Look, dataType: string): string {
  const options = look.policy.data[dataType]?.['retain-options'] ?? {};
  const longest = Math.max(
    ...Object.keys(options).map((name) => chosenMs(look, dataType, name)),
    chosenMs(look, dataType, 'P0D'),
  );
  return `P${Math.round(longest / DAY_MS) + 1}D`;
}

async function tryAll(look: Look, { dataType, choices }: Wanted): Promise<Chosen> {
  const kinds = Object.keys(REGIONS) as ChoiceKind[];
  const table = look.policy.compiled.data[dataType]?.table ?? '';
  const planted = new Map<ChoiceKind, Planted[]>();
  // First without rows: until then what it is to spare would go with any sweep that comes by.
  await choose(look, dataType, REGIONS.extended, choices.extended);
  for (const kind of kinds) {
    const lifeMs = chosenMs(look, dataType, choices[kind]);
    if (Number.isFinite(lifeMs)) planted.set(kind, await plant(look, dataType, kind, lifeMs));
  }
  const rows = [...planted.values()].flat();
  const messages = rows.flatMap(({ there, unchosen }) => [there, unchosen]);
  const first = await whereAre(look, table, messages);
  if (first.size < messages.length) throw new Error('what was planted could not be seen');
  const answered = new Map<ChoiceKind, number>();
  for (const kind of kinds) {
    answered.set(kind, await choose(look, dataType, REGIONS[kind], choices[kind]));
  }
  const more = dayMore(look, dataType);
  const status = await choose(look, dataType, UNCHOSEN, more);
  const stored = await storedChoices(look, dataType);
  const left = await whereAre(look, table, messages);
  const outcomeOf = (kind: ChoiceKind): Outcome => {
    const rows = (planted.get(kind) ?? []).map(({ ageMs, isPast, there, unchosen }) => {
      return { ageMs, isPast, isThere: left.has(there), isUnchosenThere: left.has(unchosen) };
    });
    return { status: answered.get(kind) ?? 0, rows };
  };
  return {
    outcomes: {
      custom: outcomeOf('custom'),
      extended: outcomeOf('extended'),
      immediate: outcomeOf('immediate'),
      regional: outcomeOf('regional'),
    },
    beyond: { status, isStored: stored.has(`${UNCHOSEN} ${more}`) },
  };
}

/** Tries the four choices, and takes them back whatever came of them. */
export const chosen = (look: Look, wanted: Wanted): Promise<Chosen> =>
  look.once(`chosen ${JSON.stringify(wanted)}`, async (at) => {
    try {
      return await tryAll(at, wanted);
    } finally {
      for (const region of [...Object.values(REGIONS), UNCHOSEN]) {
        await choose(at, wanted.dataType, region, null);
      }
    }
  });
