/** Places of a policy that its author meant to fill in and did not. */
import type { Policy } from '#language/policy';

/** What an author leaves in brackets for later, and forgets. Markdown links are none of it. */
const BRACKETS = /\[[A-Z][A-Za-z]*(?:[ ,/][A-Za-z, /]*)?\](?!\()/;
const WORDS = /\b(?:TBD|TBA|X{3}|lorem ipsum|insert (?:name|address|date) here)\b/i;

/** The placeholder in a text, if it has one. */
export function placeholderIn(text: string): string | undefined {
  if (text.includes('[')) {
    const bracket = BRACKETS.exec(text);
    if (bracket) return bracket[0];
  }
  return WORDS.exec(text)?.[0];
}

export type Unfilled = { readonly match: string; readonly path: readonly (string | number)[] };

/** Every placeholder among the values of a document; quotes of its prose are looked at apart. */
export function unfilledIn(policy: Policy): Unfilled[] {
  const { compiled: _, promises: __, resolves: ___, ...document } = policy;
  const found: Unfilled[] = [];
  collectUnfilled(document, [], found);
  return found;
}

/** @param path  where the value stands; changed on the way and as it was at the end. */
function collectUnfilled(value: unknown, path: (string | number)[], found: Unfilled[]): void {
  if (typeof value === 'string') {
    const match = placeholderIn(value);
    if (match !== undefined) found.push({ match, path: [...path] });
  } else if (value !== null && typeof value === 'object') {
    const isList = Array.isArray(value);
    for (const key of Object.keys(value)) {
      path.push(isList ? Number(key) : key);
      collectUnfilled((value as Record<string, unknown>)[key], path, found);
      path.pop();
    }
  }
}
