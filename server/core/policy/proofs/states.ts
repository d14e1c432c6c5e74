import { controlCatalogue } from '@troth/policy-language';
import type { Look } from '#core/looking';

export type State = 'kept' | 'broken' | 'gap';
export type States = ReadonlyMap<string, State>;
type Row = Look['policy']['promises'][number];

const OLD_MS = 3_600_000;

/**
 * The states of all promises as the findings on record have them, counted twice: a finding of more
 * than an hour ago may or may not still count for the server.
 */
export async function statesOf(at: Look): Promise<{ fresh: States; all: States }> {
  const rows = await at.sql<{ promise: string; state: State; age: number }[]>`
    select promise, state, extract(epoch from now() - found_at)::float8 * 1000 as age
    from troth.promise_states
    where tenant = ${at.tenant} and revision = ${at.revision}`;
  const found = new Map(rows.map((row) => [row.promise, row]));
  const states = (isCounted: (age: number) => boolean): States =>
    new Map(
      at.policy.promises.map(({ id, attest }) => {
        const row = found.get(id);
        const seen = row && isCounted(row.age) ? row.state : 'gap';
        // What also wants somebody's word is not kept by a probe alone.
        return [id, seen === 'kept' && attest ? 'gap' : seen];
      }),
    );
  return { fresh: states((age) => age < OLD_MS), all: states(() => true) };
}

export function figuresOf(states: States, rows: readonly Row[]) {
  const counts = { kept: 0, broken: 0, gap: 0 };
  for (const { id } of rows) counts[states.get(id) ?? 'gap'] += 1;
  return counts;
}

const catalogue: Readonly<Record<string, { readonly area: string }>> = controlCatalogue;

export const areaOf = ({ control }: Row): string | undefined =>
  control === undefined ? undefined : catalogue[control]?.area;
