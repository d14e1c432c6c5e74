import { type Look, secondsInDuration, valueAt } from '#core/looking';
import { broken, defineProof, gap, kept, saw, span, term } from '#core/promises';
import { nameOf, taken, undo } from './demands.ts';

/** So much of the time is over when somebody has to hear of it. */
const NEARLY = 0.95;

type Open = { open: number; oldest: number | null };

/** Demands that are open, those of proofs left out, and the age of the oldest in seconds. */
async function openDemands({ sql, tenant }: Look, undoable: number): Promise<Open> {
  const [row] = await sql<Open[]>`
    select count(*)::int as open,
           max(extract(epoch from clock_timestamp() - requested_at)
               - case when complete then 0 else ${undoable}::float8 end)::float8 as oldest
    from troth.erasures
    where tenant = ${tenant} and state not in ('done', 'undone', 'held')
      and not exists (
        select 1 from troth.canary_subjects as canary
        where canary.tenant = erasures.tenant and canary.subject = erasures.subject)`;
  return row ?? { open: 0, oldest: null };
}

/** A demand that can be undone, moved into the past: nothing will carry it on before its day. */
async function stuck(look: Look, ageSeconds: number): Promise<string> {
  const canary = await look.canaries.agreeing();
  await look.canaries.subjectOf('user', canary.userId);
  const demand = await taken(look, { handle: nameOf(canary), confirm: true });
  if (demand.state !== 'hidden') throw new Error('the demand did not stay open');
  await look.sql`
    update troth.erasures
    set requested_at = requested_at - make_interval(secs => ${ageSeconds})
    where id = ${demand.id}`;
  return demand.id;
}

const alarmed = async ({ sql }: Look, id: string): Promise<boolean> => {
  const [row] = await sql<{ alarmed: boolean }[]>`
    select alarmed_at is not null as alarmed from troth.erasures where id = ${id}`;
  return row?.alarmed === true;
};

async function alarms(look: Look, seconds: number, undoable: number) {
  const late = await stuck(look, undoable + NEARLY * seconds);
  const young = await stuck(look, undoable);
  await look.job('rights.watch-deadlines');
  const found = { late: await alarmed(look, late), young: await alarmed(look, young) };
  for (const id of [late, young]) await undo(look, id);
  return found;
}

export const deadline = defineProof({
  control: 'rights.deadline',
  strength: 'api',
  blindTo: 'Whether the operator acts on the alarm; demands that reach the service in other ways.',
  async prove(look, { right, setting }) {
    const path = String(setting);
    const seconds = secondsInDuration(String(valueAt(look.policy, path)));
    if (right !== 'erasure' || !seconds) {
      return gap(saw`no request about ${term(String(right))} is taken in here yet`);
    }
    const undoable = secondsInDuration(look.policy.rights?.erasure?.recoverable ?? 'P0D') ?? 0;
    if (undoable === 0)
      return gap(saw`no demand stays open here that could be moved into the past`);
    const { open, oldest } = await openDemands(look, undoable);
    if ((oldest ?? 0) > seconds) {
      return broken(saw`a demand is open for ${span((oldest ?? 0) * 1_000)}`);
    }
    const { late, young } = await alarms(look, seconds, undoable);
    if (!late) return broken(saw`a demand came near the end of its time, and nobody was told`);
    if (young) return broken(saw`an alarm was raised about a demand that is young`);
    return kept(
      saw`${open} demands are open, none for longer than ${span(seconds * 1_000)}; one that was stuck at ${term(`${NEARLY * 100} %`)} of that raised an alarm, a young one none`,
    );
  },
});
