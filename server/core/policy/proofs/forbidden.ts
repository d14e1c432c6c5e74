import { fallsUnder } from '@troth/policy-language';
import { shownAt } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term, terms } from '#core/promises';
import { applied, impossibleDraft } from './drafts.ts';

export const forbidden = defineProof({
  control: 'purpose.forbidden',
  strength: 'protocol',
  blindTo: 'What a recipient does with data that it was given for another purpose.',
  async prove(at, { use }) {
    const wanted = use as Parameters<typeof fallsUnder>[0];
    if (!at.policy['forbidden-uses']?.includes(wanted))
      return broken(saw`the policy does not rule out ${term(wanted)}`);
    const purposes = Object.entries(at.policy.purposes).filter(([, one]) =>
      fallsUnder(one.use, wanted),
    );
    if (purposes.length > 0)
      return broken(saw`the policy has a purpose for it: ${terms(purposes.map(([id]) => id))}`);
    const text = impossibleDraft(at, (document, id) => {
      document.purposes['looked-at-by-a-proof'] = { use: wanted, basis: 'consent', default: 'off' };
      document.data[id]?.purposes.push('looked-at-by-a-proof');
    });
    if (text === undefined) return gap(saw`no draft could be made that is safe to send`);
    const told = await applied(at, { text, reason: 'features: a use that is ruled out' });
    if (!told.detail.includes('purpose/forbidden-use'))
      return broken(
        saw`a purpose for ${term(wanted)} was not refused as ruled out: ${term(told.code)}`,
      );
    const [data = ''] = at.canaries.eventTypes;
    const read = await at.operator(`/v1/t/${at.tenant}/events/read`, {
      body: { data, purpose: wanted },
    });
    if (read.status !== 403)
      return broken(saw`a reading for ${term(wanted)} was answered ${read.status}`);
    if (wanted === 'sales') {
      const recipients = Object.keys(at.policy.recipients ?? {}).length;
      const page = await at.http(`/v1/t/${at.tenant}/policy.html`);
      const [line = ''] = shownAt(page.text, 'page.sale');
      const says = `Data is not sold: none of ${recipients} recipients has it for a sale.`;
      if (!line.startsWith(says)) return broken(saw`the page does not say that nothing is sold`);
    }
    if (wanted === 'train_ai_system')
      return gap(
        saw`it is refused here; no connector exists in this version that could send such terms`,
      );
    return kept(
      saw`a policy with a purpose for ${term(wanted)} was refused, a reading for it was refused, and no recipient has it`,
    );
  },
});
