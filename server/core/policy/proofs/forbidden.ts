import { bases, uses } from '@troth/policy-language';
import { type Look, shownAt } from '#core/looking';
import {
  broken,
  defineProof,
  eachType,
  gap,
  kept,
  type Seen,
  saw,
  term,
  terms,
} from '#core/promises';
import { applied, impossibleDraft } from './drafts.ts';

type Purpose = { readonly use: string; readonly basis: string };

/** The use, and what lies below it in the vocabulary. */
const within = (use: string, wanted: string) => use === wanted || use.startsWith(`${wanted}.`);
/** Who is not asked, who is, and who may say no. */
const ASKED = [{}, { default: 'off' }, { optional: true, default: 'off' }];

/** Every way to declare a purpose for it: by each of its parts, on each basis, asked for or not. */
const waysTo = (wanted: string): Purpose[] =>
  Object.keys(uses)
    .filter((use) => within(use, wanted))
    .flatMap((use) => Object.keys(bases).map((basis) => ({ use, basis })))
    .flatMap((purpose) => ASKED.map((asked) => ({ ...purpose, ...asked })));

/** How the document is refused with these purposes, each of them for stored data. */
async function refusalOf(at: Look, purposes: readonly Purpose[]) {
  const text = impossibleDraft(at, (document, id) => {
    for (const [number, purpose] of purposes.entries()) {
      const name = `looked-at-by-a-proof-${number}`;
      document.purposes[name] = purpose;
      document.data[id]?.purposes.push(name);
    }
  });
  return text && applied(at, { text, reason: 'features: a use that is ruled out' });
}

/** Whether each of these purposes is an error of its own, beside what else the draft has wrong. */
async function judgeDrafts(at: Look, wanted: string): Promise<Seen | undefined> {
  const ways = waysTo(wanted);
  const allowed = await refusalOf(
    at,
    ways.map((way) => ({ ...way, use: 'essential.service' })),
  );
  const told = await refusalOf(at, ways);
  if (!allowed || !told) return gap(saw`no draft could be made that is safe to send`);
  if (!told.detail.includes('purpose/forbidden-use'))
    return broken(
      saw`a purpose for ${term(wanted)} was not refused as ruled out: ${term(told.code)}`,
    );
  const refused = told.openErrors - allowed.openErrors;
  if (refused < ways.length)
    return broken(saw`${refused} of ${ways.length} purposes for ${term(wanted)} were refused`);
  return undefined;
}

async function judgeSale(at: Look): Promise<Seen | undefined> {
  const recipients = Object.keys(at.policy.recipients ?? {}).length;
  const page = await at.http(`/v1/t/${at.tenant}/policy.html`);
  const [line = ''] = shownAt(page.text, 'page.sale');
  const says = `Data is not sold: none of ${recipients} recipients has it for a sale.`;
  return line.startsWith(says)
    ? undefined
    : broken(saw`the page does not say that nothing is sold`);
}

async function judge(at: Look, wanted: string): Promise<Seen> {
  const ruledOut: readonly string[] = at.policy['forbidden-uses'] ?? [];
  if (!ruledOut.includes(wanted)) return broken(saw`the policy does not rule out ${term(wanted)}`);
  const purposes = Object.entries(at.policy.purposes).filter(([, { use }]) => within(use, wanted));
  if (purposes.length > 0)
    return broken(saw`the policy has a purpose for it: ${terms(purposes.map(([id]) => id))}`);
  const found = await judgeDrafts(at, wanted);
  if (found) return found;
  const [data = ''] = at.canaries.eventTypes;
  const read = await at.operator(`/v1/t/${at.tenant}/events/read`, {
    body: { data, purpose: wanted },
  });
  if (read.status !== 403)
    return broken(saw`a reading for ${term(wanted)} was answered ${read.status}`);
  const sold = wanted === 'sales' ? await judgeSale(at) : undefined;
  if (sold) return sold;
  if (wanted === 'train_ai_system')
    return gap(
      saw`it is refused here; no connector exists in this version that could send such terms`,
    );
  return kept(
    saw`a policy with ${waysTo(wanted).length} purposes for ${term(wanted)}, on ${Object.keys(bases).length} legal bases, was refused for each of them, a reading for it was refused, and no recipient has it`,
  );
}

export const forbidden = defineProof({
  control: 'purpose.forbidden',
  strength: 'protocol',
  blindTo: 'What a recipient does with data that it was given for another purpose.',
  prove: (at, { use }) => eachType(use, (wanted) => judge(at, wanted)),
});
