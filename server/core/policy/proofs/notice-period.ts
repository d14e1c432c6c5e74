import { type Look, secondsInDuration, valueAt } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, term, terms } from '#core/promises';
import { applied, type Document, impossibleDraft, LAST } from './drafts.ts';

const DAY_SECONDS = 86_400;
const DAY_MS = DAY_SECONDS * 1_000;
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const CODE = 'policy-notice-not-run';
const NEW = 'looked_at_by_a_proof';
const NEW_ID = 'looked-at-by-a-proof';

const dayMore = (text: string) =>
  `P${Math.floor((secondsInDuration(text) ?? 0) / DAY_SECONDS) + 1}D`;

/** Makes one change to a document; false where it has nothing that could be changed so. */
type Change = (document: Document, dataType: string) => boolean;

/** What a person could object to, a kind each. */
const MATERIAL: Readonly<Record<string, Change>> = {
  'one more field': ({ data }, id) => {
    Object.assign(data[id]?.fields ?? {}, { [NEW]: 'integer' });
    return data[id]?.fields !== undefined;
  },
  'one more purpose': ({ data, purposes }, id) => {
    const held = data[id]?.purposes ?? [];
    const other = Object.keys(purposes).find((purpose) => !held.includes(purpose));
    if (other !== undefined) held.push(other);
    return other !== undefined;
  },
  'a longer life': ({ data }, id) => {
    const [type, retain] = [data[id], data[id]?.retain];
    const isLength = typeof retain === 'string' && Boolean(secondsInDuration(retain));
    if (type && isLength) type.retain = dayMore(retain);
    return isLength;
  },
  'one more recipient': (document, id) => {
    const [purpose] = document.data[id]?.purposes ?? [];
    const recipient = { title: 'A recipient', role: 'processor', purpose, data: [id] };
    document.recipients = { ...document.recipients, [NEW_ID]: recipient };
    return purpose !== undefined;
  },
  'a longer wait for a right': ({ rights = {} }) => {
    const timed = Object.values(rights).find(({ within }) => within !== undefined);
    if (timed?.within) timed.within = dayMore(timed.within);
    return timed !== undefined;
  },
};

function draftOf(at: Look, change: Change, dataType = ''): string | undefined {
  let isMade = false;
  const text = impossibleDraft(at, (document) => {
    isMade = change(document, dataType);
  });
  return isMade ? text : undefined;
}

type Asked = { readonly at: Look; readonly now: number; readonly days: number };

/** Asks for a draft of whose change people were told some days ago, or not at all. */
const told = ({ at, now }: Asked, text: string, ago?: number) =>
  applied(at, {
    text,
    reason: 'features: what a proof asks for',
    ...(ago !== undefined && { noticeGiven: dayOf(now - ago * DAY_MS) }),
  });

/** A draft that has no errors of its own, with what it was told when nobody had been told of it. */
async function soundDraft(asked: Asked, change: Change) {
  for (const type of asked.at.canaries.eventTypes) {
    const text = draftOf(asked.at, change, type);
    const today = text === undefined ? undefined : await told(asked, text);
    if (text && today && today.code !== 'policy-has-errors') return { text, today };
  }
  return undefined;
}

/** One kind of change: refused until the notice has run, and then no longer for its sake. */
async function waits(asked: Asked, kind: string, change: Change): Promise<Seen | undefined> {
  const { now, days } = asked;
  const draft = await soundDraft(asked, change);
  if (!draft) return gap(saw`no draft with ${term(kind)} could be made without errors of its own`);
  const { text, today } = draft;
  for (const { code } of [today, await told(asked, text, days - 1)]) {
    if (code !== CODE)
      return broken(saw`${term(kind)} went on without ${days} days of notice: ${term(code)}`);
  }
  if (!today.detail.includes(dayOf(now + days * DAY_MS)))
    return broken(saw`the first day named for ${term(kind)} is not the one after the notice`);
  const late = await told(asked, text, days);
  if (late.code !== LAST)
    return gap(
      saw`after the notice the draft with ${term(kind)} was refused otherwise: ${term(late.code)}`,
    );
  return undefined;
}

export const noticePeriod = defineProof({
  control: 'changes.notice-period',
  strength: 'protocol',
  blindTo:
    'Whether people were really told on the day that the operator names; material changes of other kinds than it tries.',
  async prove(at, { setting }) {
    const written = valueAt(at.policy, String(setting));
    const seconds = typeof written === 'string' ? secondsInDuration(written) : undefined;
    if (setting !== 'changes.material-notice' || !seconds)
      return gap(saw`the policy publishes no notice there`);
    const days = Math.ceil((seconds * 1_000) / DAY_MS);
    const asked = { at, now: (await at.now()).getTime(), days };
    const same = draftOf(at, () => true);
    if (same === undefined) return gap(saw`no draft could be made that is safe to send`);
    const harmless = await told(asked, same);
    if (harmless.code !== LAST)
      return gap(saw`what nobody has to be told of was refused: ${term(harmless.code)}`);
    for (const [kind, change] of Object.entries(MATERIAL)) {
      const found = await waits(asked, kind, change);
      if (found) return found;
    }
    return kept(
      saw`${terms(Object.keys(MATERIAL))}: each was refused today and after ${days - 1} days of notice, and taken further after ${days}; a change of no such kind at once`,
    );
  },
});
