import {
  type Canary,
  type Look,
  type StoredRow,
  secondsInDuration,
  typesByPerson,
  valueAt,
} from '#core/looking';
import { broken, defineProof, gap, kept, saw, span, term } from '#core/promises';
import { type Demand, followed, hasKey, nameOf, shownOf, taken, undo, whois } from './demands.ts';
import { leave } from './erased.ts';

const SLACK_MS = 1_000;
const KEY_GONE_WITHIN_MS = 30_000;
const HOUR_SECONDS = 3_600;

type Hidden = {
  readonly canary: Canary;
  readonly subject: string;
  readonly rows: readonly StoredRow[];
  readonly receipts: number;
  readonly demand: Demand;
};

/** Somebody who left events and decisions, and was deleted in the way that can be undone. */
async function deleted(look: Look): Promise<Hidden> {
  const canary = await look.canaries.agreeing();
  const rows = await leave(look, canary);
  const subject = (await look.canaries.subjectOf('user', canary.userId)) ?? '';
  const { receipts } = await shownOf(look, canary);
  const demand = await taken(look, { handle: nameOf(canary), confirm: true });
  return { canary, subject, rows, receipts, demand };
}

/** Moves a demand into the past, as if it had been made so many seconds earlier. */
async function age({ sql }: Look, { demand }: Hidden, seconds: number): Promise<void> {
  await sql`
    update troth.erasures
    set requested_at = requested_at - make_interval(secs => ${seconds}),
        destroy_at = destroy_at - make_interval(secs => ${seconds})
    where id = ${demand.id}`;
}

/** Whether everything that somebody had is there again, and opens. */
async function isBack(look: Look, { canary, subject, rows, receipts }: Hidden): Promise<boolean> {
  if ((await whois(look, canary)) !== subject || !(await hasKey(look, [subject]))) return false;
  if ((await shownOf(look, canary)).receipts < receipts) return false;
  const types = typesByPerson(look);
  for (const [at, row] of rows.entries()) {
    if (row.sealed !== '' && !(await look.canaries.opened(types[at] ?? '', row))) return false;
  }
  return true;
}

/** On the last day but one it can be undone. */
async function early(look: Look, seconds: number) {
  const one = await deleted(look);
  const isHidden = one.demand.state === 'hidden' && !(await hasKey(look, [one.subject]));
  await age(look, one, seconds - 24 * HOUR_SECONDS);
  const status = await undo(look, one.demand.id);
  return { one, isHidden, status, back: status === 200 && (await isBack(look, one)) };
}

/** A second after the last day it cannot. */
async function late(look: Look, seconds: number) {
  const one = await deleted(look);
  await age(look, one, seconds + 1);
  const status = await undo(look, one.demand.id);
  await look.job('rights.walk-erasures').catch(() => undefined);
  const isGone = ({ keyDestroyedAt }: Demand) => keyDestroyedAt !== null;
  const demand = await followed(look, one.demand.id, { is: isGone, withinMs: KEY_GONE_WITHIN_MS });
  return {
    status,
    demand,
    hasKey: await hasKey(look, [one.subject]),
    is: await whois(look, one.canary),
  };
}

export const recoverable = defineProof({
  control: 'erasure.recoverable',
  strength: 'stored-bytes',
  blindTo:
    'A month that really passes: demands are moved into the past instead, and the clock of the engine is the real one.',
  async prove(look, { setting }) {
    const path = String(setting);
    if (path !== 'rights.erasure.recoverable') {
      return gap(saw`what ${term(path)} is about is not kept here yet`);
    }
    const seconds = secondsInDuration(String(valueAt(look.policy, path)));
    if (!seconds) return gap(saw`${term(path)} publishes no time`);
    const [first, second] = await Promise.all([early(look, seconds), late(look, seconds)]);
    const { one, isHidden, status, back } = first;
    if (one.receipts === 0) return gap(saw`the canary left nothing that could be looked for`);
    if (!isHidden) return broken(saw`a deletion that can be undone was not hidden`);
    const days = Date.parse(one.demand.destroyAt ?? '') - Date.parse(one.demand.requestedAt);
    if (Math.abs(days - seconds * 1_000) > SLACK_MS) {
      return broken(saw`it could be undone for ${span(days)} instead of ${span(seconds * 1_000)}`);
    }
    if (status !== 200) return broken(saw`a day before its end the deletion could not be undone`);
    if (!back) return broken(saw`after the undoing not everything was there again`);
    if (second.status === 200) return broken(saw`after its end the deletion could still be undone`);
    if (second.status >= 500) return gap(saw`the undoing was not answered: ${second.status}`);
    if (second.hasKey || second.is !== 'erased' || second.demand.keyDestroyedAt === null) {
      return broken(saw`after the end of the time the key is still there`);
    }
    return kept(
      saw`hidden at once for ${span(seconds * 1_000)}; a day before the end it was undone, and ${one.rows.length} rows and ${one.receipts} decisions were there again; a second after the end the undoing was refused (${second.status}) and the key destroyed`,
    );
  },
});
