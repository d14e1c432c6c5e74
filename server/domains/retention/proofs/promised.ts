/** How long each type may live, as the document and the choices in force say. */
import { type Look, secondsInDuration } from '#core/looking';
import type { Rules } from './regions.ts';

/** What the document says of a type, and a customer within it; read apart from what enforces it. */
export type Promised = {
  readonly dataType: string;
  readonly table: string;
  /** From receipt until it is gone, in milliseconds; `undefined` where no length ends it. */
  readonly totalMs: number | undefined;
  /** Until it leaves for the archive, where there is one and the life lasts that long. */
  readonly activeMs: number | undefined;
  /** The policy's own life of it, whatever a customer chose. */
  readonly ownMs: number | undefined;
  /** Whether a customer chose another life than the policy's own. */
  readonly isChosen: boolean;
  /** What holds where a row is from: the policy's rules, and customers' choices. */
  readonly rules: Rules;
};

const msOf = (text: unknown): number | undefined => {
  const seconds = typeof text === 'string' ? secondsInDuration(text) : undefined;
  return seconds === undefined ? undefined : seconds * 1_000;
};

type Tiers = { readonly active?: string; readonly archive?: string; readonly total?: string };

/** What customers chose, by region; empty for everybody. */
async function choicesFor({ sql, tenant }: Look, dataType: string): Promise<Map<string, string>> {
  const rows = await sql<{ region: string; choice: string }[]>`
    select region, choice
    from troth.retention_choices
    where tenant = ${tenant} and data_type = ${dataType}`;
  return new Map(rows.map(({ region, choice }) => [region, choice]));
}

type Regions = Readonly<Record<string, { readonly 'retain-at-most'?: string }>>;

/** What the policy allows at most in its regions. */
function mostIn({ policy }: Look): Record<string, number> {
  const regions = Object.entries((policy.regions ?? {}) as Regions);
  return Object.fromEntries(
    regions.flatMap(([region, rule]) => {
      const ms = msOf(rule['retain-at-most']);
      return ms === undefined ? [] : [[region, ms]];
    }),
  );
}

/** What holds for a type now. */
export async function promisedFor(look: Look, dataType: string): Promise<Promised | undefined> {
  const declared = look.policy.data[dataType];
  const compiled = look.policy.compiled.data[dataType];
  if (!declared || !compiled) return undefined;
  const retain: unknown = declared.retain;
  const tiers = typeof retain === 'object' ? (retain as Tiers) : undefined;
  const ownMs = msOf(tiers ? tiers.total : retain);
  const options = (declared['retain-options'] ?? {}) as Readonly<Record<string, unknown>>;
  const lives = [...(await choicesFor(look, dataType))].flatMap(([region, choice]) => {
    const option = options[choice] ?? choice;
    const ms = msOf(typeof option === 'object' ? (option as Tiers).total : option);
    return ms === undefined ? [] : [[region, ms] as const];
  });
  const { '': everywhere, ...chosen } = Object.fromEntries(lives);
  const totalMs = ownMs === undefined ? undefined : (everywhere ?? ownMs);
  const activeMs = tiers?.archive === undefined ? undefined : msOf(tiers.active);
  return {
    dataType,
    table: compiled.table,
    ownMs,
    isChosen: ownMs !== undefined && everywhere !== undefined,
    totalMs,
    activeMs: (activeMs ?? 0) < (totalMs ?? Number.POSITIVE_INFINITY) ? activeMs : undefined,
    rules: { most: mostIn(look), chosen },
  };
}
