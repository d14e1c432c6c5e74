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
