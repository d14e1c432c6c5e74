import { createHash } from 'node:crypto';
import type { Canary, Look, Told } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, term } from '#core/promises';
import { type Demand, followed, hasKey, nameOf, shownOf, taken, whois } from './demands.ts';

const GOES_ON_WITHIN_MS = 30_000;
const WORDS: Readonly<Record<string, RegExp>> = {
  'legal-obligation': /legal obligation/i,
  contract: /contract/i,
  'legitimate-interest': /legitimate interest/i,
};

type Asked = { readonly ground: string; readonly until?: string } & Record<string, unknown>;

const place = (look: Look, canary: Canary, asked: Asked): Promise<Told> =>
  look.operator(`/v1/t/${look.tenant}/holds`, { body: { handle: nameOf(canary), ...asked } });

const lift = (look: Look, id: string): Promise<Told> =>
  look.operator(`/v1/t/${look.tenant}/holds/${id}/lift`, { method: 'POST' });

const isFree = ({ state }: Demand) => state !== 'held' && state !== 'recorded';

/** Whether somebody whose erasure waits is there in full. */
async function isWhole(look: Look, canary: Canary): Promise<boolean> {
  const subject = await whois(look, canary);
  if (!/^[0-9a-f]{32}$/.test(subject)) return false;
  return (await hasKey(look, [subject])) && (await shownOf(look, canary)).receipts > 0;
}

async function goesOn(look: Look, { id }: Demand): Promise<boolean> {
  await look.job('rights.walk-erasures').catch(() => undefined);
  return isFree(await followed(look, id, { is: isFree, withinMs: GOES_ON_WITHIN_MS }));
}

/** What a hold on each ground must say, and lacks here. */
const lacking: Readonly<Record<string, readonly Asked[]>> = {
  'legal-obligation': [],
  contract: [{ ground: 'contract' }],
  'legitimate-interest': [
    { ground: 'legitimate-interest' },
    { ground: 'legitimate-interest', approver: 'dpo' },
    { ground: 'legitimate-interest', assessment: 'a'.repeat(64) },
  ],
};

const whole = (ground: string, marker: string): Asked => ({
  ground,
  ...(ground === 'contract' ? { until: new Date(Date.now() + 86_400_000).toISOString() } : {}),
  ...(ground === 'legitimate-interest'
    ? { approver: 'dpo', assessment: createHash('sha256').update(marker).digest('hex') }
    : {}),
});

type Row = {
  ground: string;
  until: Date | null;
  approver: string | null;
  assessment: string | null;
};

async function onRecord({ sql }: Look, id: string): Promise<Row | undefined> {
  const [row] = await sql<Row[]>`
    select ground, until, approver, encode(assessment, 'hex') as assessment
    from troth.holds where id = ${id}`;
  return row;
}

async function recorded(look: Look, id: string, asked: Asked): Promise<boolean> {
  const row = await onRecord(look, id);
  if (row?.ground !== asked.ground) return false;
  return (
    (asked.until === undefined || row.until?.toISOString() === asked.until) &&
    (asked['approver'] === undefined || row.approver === asked['approver']) &&
    (asked['assessment'] === undefined || row.assessment === asked['assessment'])
  );
}

/** A contract's ends by itself; the others when they are lifted. */
async function end(look: Look, id: string, ground: string): Promise<void> {
  if (ground !== 'contract') {
    await lift(look, id);
    return;
  }
  await look.sql`
    update troth.holds
    set placed_at = placed_at - interval '2 days', until = until - interval '2 days'
    where id = ${id}`;
}

async function unheld(look: Look, ground: string): Promise<Seen | undefined> {
  for (const asked of lacking[ground] ?? []) {
    const canary = await look.canaries.agreeing();
    const { status } = await place(look, canary, asked);
    if (status < 400) return broken(saw`a hold was placed that does not say what it has to`);
    if (status >= 500) return gap(saw`a hold was not answered: ${status}`);
  }
  return undefined;
}

export const exception = defineProof({
  control: 'erasure.exception',
  strength: 'api',
  blindTo: 'Whether the ground is a true one: a person answers for it.',
  async prove(look, binding) {
    const ground = String(binding['ground']);
    const published = look.policy.rights?.erasure?.unless ?? [];
    if (!published.some((words) => WORDS[ground]?.test(words))) {
      return gap(saw`the policy publishes no ground of ${term(ground)}`);
    }
    const refused = await unheld(look, ground);
    if (refused) return refused;
    const canary = await look.canaries.agreeing();
    await look.canaries.subjectOf('user', canary.userId);
    const asked = whole(ground, canary.marker);
    const placed = await place(look, canary, asked);
    if (placed.status !== 201) return broken(saw`a published ground was refused: ${placed.status}`);
    const { id } = placed.json as { id: string };
    if (!(await recorded(look, id, asked))) return broken(saw`the hold is not on record as placed`);
    const demand = await taken(look, { handle: nameOf(canary), confirm: true, complete: true });
    await look.job('rights.walk-erasures').catch(() => undefined);
    const held = await isWhole(look, canary);
    if (demand.state !== 'held' || !held) return broken(saw`what was held was erased all the same`);
    if (demand.ground !== ground) return broken(saw`the answer does not state the ground`);
    await end(look, id, ground);
    if (!(await goesOn(look, demand))) return broken(saw`the hold ended, and the erasure waits on`);
    return kept(
      saw`an erasure waited on the recorded ground ${term(ground)}, which its answer states, with the person whole; it went on when the hold ended; ${lacking[ground]?.length ?? 0} incomplete holds were refused`,
    );
  },
});
