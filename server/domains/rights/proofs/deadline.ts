import { type Look, secondsInDuration, valueAt } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, span, term } from '#core/promises';
import { nameOf, taken, undo } from './demands.ts';
import { listen, type Told } from './told.ts';

/** So much of the time is over when somebody has to hear of it. */
const NEARLY = 0.95;
const JOB = 'rights.watch-deadlines';
const ALARM = 'alerts.tell-operator';
/** It comes round every hour: one time may be missed while a server is started anew. */
const ROUND_MS = 130 * 60_000;
const SLACK_MS = 60_000;

type Times = { readonly seconds: number; readonly undoable: number };

type Open = { open: number; oldest: number | null };

/** Demands that are open, those of proofs left out, and the age of the oldest in seconds. */
async function openDemands({ sql, tenant }: Look, { undoable }: Times): Promise<Open> {
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

/** How long ago the watch came round by itself; what a proof asks for leaves nothing there. */
async function sinceRound({ sql, now }: Look): Promise<number | undefined> {
  const [round] = await sql<{ at: Date }[]>`
    select coalesce(last_execution, known_since) as at
    from troth_jobs._private_known_crontabs
    where identifier = ${JOB}`;
  return round && (await now()).getTime() - round.at.getTime();
}

/** Alarms about demands of people that every attempt to tell somebody of was in vain. */
async function untold({ sql, tenant }: Look): Promise<number> {
  const [row] = await sql<{ alarms: number }[]>`
    select count(*)::int as alarms
    from troth_jobs._private_jobs as jobs
    join troth_jobs._private_tasks as tasks on tasks.id = jobs.task_id
    where tasks.identifier = ${ALARM} and jobs.attempts >= jobs.max_attempts
      and jobs.locked_at is null and jobs.payload -> 'listens' is null
      and jobs.payload -> 'alert' ->> 'kind' = 'demand.late'
      and jobs.payload -> 'alert' ->> 'tenant' = ${tenant}`;
  return row?.alarms ?? 0;
}

/** A demand that can be undone, moved into the past: nothing will carry it on before its day. */
async function stuck(look: Look, ageSeconds: number, port: number) {
  const { canaries, sql, tenant } = look;
  const canary = await canaries.agreeing();
  const subject = (await canaries.subjectOf('user', canary.userId)) ?? '';
  await sql`
    update troth.canary_subjects set listens = ${port}
    where tenant = ${tenant} and subject = ${subject}::uuid`;
  const demand = await taken(look, { handle: nameOf(canary), confirm: true });
  if (demand.state !== 'hidden') throw new Error('the demand did not stay open');
  const [moved] = await sql<{ since: Date }[]>`
    update troth.erasures
    set requested_at = requested_at - make_interval(secs => ${ageSeconds})
    where id = ${demand.id}
    returning requested_at as since`;
  return { id: demand.id, since: moved?.since.getTime() ?? Number.NaN };
}

/** What was told of two demands of which one is late, and when that one is due. */
async function alarms(look: Look, { seconds, undoable }: Times) {
  await using listener = await listen(look);
  const late = await stuck(look, undoable + NEARLY * seconds, listener.port);
  const young = await stuck(look, undoable, listener.port);
  try {
    await look.job(JOB);
    return { told: await listener.heard(), dueAt: late.since + (undoable + seconds) * 1_000 };
  } finally {
    for (const { id } of [late, young]) await undo(look, id);
  }
}

/** Whether the operator named any way to be reached, as the server's own check of itself says. */
async function hasNobody({ operator }: Look): Promise<boolean> {
  const { status, text } = await operator('/v1/operator/doctor');
  return status === 200 && text.includes('TROTH_ALERT_WEBHOOK_URL=');
}

async function judge(look: Look, told: readonly Told[], dueAt: number): Promise<Seen | undefined> {
  const [alarm] = told;
  if (!alarm) {
    return (await hasNobody(look))
      ? gap(saw`nobody is named who could be told: TROTH_ALERT_WEBHOOK_URL, TROTH_ALERT_MAIL_TO`)
      : broken(saw`a demand came near the end of its time, and nobody was told`);
  }
  for (const { kind, tenant, demands, dueAt: said } of told) {
    if (kind !== 'demand.late' || tenant !== look.tenant) {
      return broken(saw`what was told is not about a late demand of this service`);
    }
    if (demands !== 1) return broken(saw`an alarm was raised about a demand that is young`);
    // Not below: of a time that is none, nothing is true.
    if (!(Math.abs(said - dueAt) <= SLACK_MS)) {
      return broken(saw`the alarm names another time than the end of the demand's`);
    }
  }
  return undefined;
}

export const deadline = defineProof({
  control: 'rights.deadline',
  strength: 'protocol',
  blindTo:
    "Whether the operator's own receiver takes the alarm, and acts on it: a canary's goes to the proof; demands that reach the service in other ways.",
  async prove(look, { right, setting }) {
    const path = String(setting);
    const seconds = secondsInDuration(String(valueAt(look.policy, path)));
    if (right !== 'erasure' || !seconds) {
      return gap(saw`no request about ${term(String(right))} is taken in here yet`);
    }
    const undoable = secondsInDuration(look.policy.rights?.erasure?.recoverable ?? 'P0D') ?? 0;
    if (undoable === 0)
      return gap(saw`no demand stays open here that could be moved into the past`);
    const times = { seconds, undoable };
    const { open, oldest } = await openDemands(look, times);
    if ((oldest ?? 0) > seconds) {
      return broken(saw`a demand is open for ${span((oldest ?? 0) * 1_000)}`);
    }
    const round = await sinceRound(look);
    if (round === undefined) return broken(saw`nothing looks for late demands by itself`);
    if (round > ROUND_MS) return broken(saw`late demands were last looked for ${span(round)} ago`);
    const lost = await untold(look);
    if (lost > 0) return broken(saw`${lost} alarms about late demands reached nobody`);
    const { told, dueAt } = await alarms(look, times);
    const found = await judge(look, told, dueAt);
    if (found) return found;
    return kept(
      saw`${open} demands are open, none for longer than ${span(seconds * 1_000)}; of one that was stuck at ${term(`${NEARLY * 100} %`)} of that an alarm left the server and arrived, with the right day, of a young one none; they are looked for every hour, last ${span(round)} ago`,
    );
  },
});
