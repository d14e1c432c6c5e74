import { gap, type Seen, saw } from './seen.ts';

/** What a promise names in its binding, one word or several, as a list. */
export const wordsOf = (bound: unknown): string[] => [bound].flat() as string[];

/** Looks at each type that is bound, in turn; what is not kept ends it. */
export async function eachType(
  bound: unknown,
  look: (type: string) => Promise<Seen>,
): Promise<Seen> {
  let seen = gap(saw`no type is bound`);
  for (const type of wordsOf(bound)) {
    seen = await look(type);
    if (seen.state !== 'kept') return seen;
  }
  return seen;
}
