import { secondsInDuration, valueAt } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term } from '#core/promises';
import { applied, impossibleDraft, LAST } from './drafts.ts';

const DAY_MS = 86_400_000;
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const CODE = 'policy-notice-not-run';

export const noticePeriod = defineProof({
  control: 'changes.notice-period',
  strength: 'protocol',
  blindTo: 'Whether people were really told on the day that the operator names.',
  async prove(at, { setting }) {
    const written = valueAt(at.policy, String(setting));
    const seconds = typeof written === 'string' ? secondsInDuration(written) : undefined;
    if (setting !== 'changes.material-notice' || !seconds)
      return gap(saw`the policy publishes no notice there`);
    const text = impossibleDraft(at, (document, id) => {
      Object.assign(document.data[id]?.fields ?? {}, { looked_at_by_a_proof: 'integer' });
    });
    if (text === undefined) return gap(saw`no draft could be made that is safe to send`);
    const reason = 'features: one more field';
    const now = (await at.now()).getTime();
    const days = Math.ceil((seconds * 1_000) / DAY_MS);
    const told = (ago: number) => ({ text, reason, noticeGiven: dayOf(now - ago * DAY_MS) });
    const early = [await applied(at, { text, reason }), await applied(at, told(days - 1))];
    const taken = early.filter(({ code }) => code !== CODE);
    if (taken.some(({ code }) => code === 'policy-has-errors'))
      return gap(saw`the draft was refused for errors of its own`);
    if (taken.length > 0)
      return broken(
        saw`a material change went on without ${days} days of notice: ${term(taken[0]?.code ?? '')}`,
      );
    const first = dayOf(now + days * DAY_MS);
    if (!early[0]?.detail.includes(first))
      return broken(saw`the first day named is not the one after the notice`);
    const late = await applied(at, told(days));
    if (late.code !== LAST)
      return gap(
        saw`after the notice the draft was refused for another reason: ${term(late.code)}`,
      );
    return kept(
      saw`a material change was refused today and after ${days - 1} days of notice, and taken further after ${days}`,
    );
  },
});
