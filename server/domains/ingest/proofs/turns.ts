/**
 * Proofs that would disturb each other take turns, service by service: those of one round, and
 * those of rounds that run at once, as one that is scheduled and one that somebody asked for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Look } from '#core/looking';

/** Any fixed number: keeps these locks apart from others that hash a text. */
const TURNS = 7_076_021;
const WAIT_MS = 20_000;
const LOOK_EVERY_MS = 250;

type Session = Awaited<ReturnType<Look['sql']['reserve']>>;

const last = new Map<string, Promise<unknown>>();
/** One connection for all turns of this process; they end with it, also when it is killed. */
let session: Promise<Session> | undefined;
let users = 0;

async function inSession<Result>(
  { sql }: Look,
  work: (own: Session) => Promise<Result>,
): Promise<Result> {
  users += 1;
  session ??= sql.reserve();
  const mine = session;
  try {
    return await work(await mine);
  } finally {
    users -= 1;
    if (users === 0) {
      session = undefined;
      await mine.then(
        (own) => own.release(),
        () => undefined,
      );
    }
  }
}

const alone = <Result>(look: Look, name: string, work: () => Promise<Result>) =>
  inSession(look, async (own) => {
    const lock = own`hashtext(${name})`;
    for (const end = performance.now() + WAIT_MS; ; ) {
      const [tried] = await own<{ got: boolean }[]>`
        select pg_try_advisory_lock(${TURNS}, ${lock}) as got`;
      if (tried?.got) break;
      if (performance.now() > end) return undefined;
      await sleep(LOOK_EVERY_MS, undefined, { signal: look.signal });
    }
    try {
      return await work();
    } finally {
      await own`select pg_advisory_unlock(${TURNS}, ${lock})`;
    }
  });

/** @returns what the work came to; `undefined` where another round did not end its own in time. */
export function inTurn<Result>(
  look: Look,
  name: string,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  const turn = `${name} ${look.tenant}`;
  const before = last.get(turn) ?? Promise.resolve();
  const next = () => alone(look, turn, work);
  const mine = before.then(next, next);
  last.set(turn, mine);
  return mine;
}
