import { broken, defineProof, gap, kept, type Look, saw, term, valueAt } from '#core/promises';

/** The text of a page: no tags, entities resolved, one space between words. */
export function textOf(html: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return html
    .replaceAll(/<(script|style)\b[\s\S]*?<\/\1>/g, ' ')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&(#?\w+);/g, (whole, name: string) => named[name] ?? whole)
    .replaceAll(/\s+/g, ' ');
}

/** Every scalar below a value, as text. */
function leavesOf(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(leavesOf);
  return value === null || value === undefined ? [] : [String(value)];
}

async function proveConfigured(look: Look, paths: readonly string[]) {
  const [json, html] = await Promise.all([
    look.http(`/v1/t/${look.tenant}/policy`),
    look.http(`/v1/t/${look.tenant}/policy.html`),
  ]);
  if (json.status !== 200 || html.status !== 200) return gap(saw`the policy is not served`);
  const served = (json.json as { policy: unknown }).policy;
  const page = textOf(html.text);
  let shown = 0;
  for (const path of paths) {
    const wanted = valueAt(look.policy, path);
    if (wanted === undefined) return gap(saw`the policy has no value at ${term(path)}`);
    const leaves = leavesOf(wanted).map((leaf) => leaf.replaceAll(/\s+/g, ' ').trim());
    const same =
      JSON.stringify(leavesOf(valueAt(served, path))) === JSON.stringify(leavesOf(wanted));
    if (!same) return broken(saw`the interface gives another value at ${term(path)}`);
    const missing = leaves.filter((leaf) => leaf !== '' && !page.includes(leaf));
    if (missing.length > 0)
      return broken(saw`${missing.length} values of ${term(path)} are not on the rendered page`);
    shown += leaves.length;
  }
  return kept(saw`${shown} values are the same in the document, the interface and the page`);
}

/** The proof of a promise that is bound to values of the document and to no control. */
export const configured = defineProof({
  control: 'configuration',
  strength: 'configuration',
  blindTo: 'Whether the value is true: that somebody answers at an address is not looked at.',
  prove: (look, binding) => proveConfigured(look, binding['paths'] as readonly string[]),
});
