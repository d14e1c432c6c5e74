/** Demands as a server makes them, and what is answered about somebody. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asClient, type Canary, type Look, type Told } from '#core/looking';

const LOOK_EVERY_MS = 250;

export type Demand = {
  readonly id: string;
  readonly state: string;
  readonly ground: string | null;
  readonly reason?: string;
  /** Why it does not get on, as a word. */
  readonly trouble: string | null;
  readonly requestedAt: string;
  readonly hiddenAt: string | null;
  readonly destroyAt: string | null;
  readonly keyDestroyedAt: string | null;
  readonly finishedAt: string | null;
};

export const nameOf = ({ userId }: Canary) => ({ kind: 'user', value: userId }) as const;

/** Asks for an erasure with a server's key of the service. */
export const demand = (look: Look, body: object): Promise<Told> =>
  asClient(look, '/erasures', { body });

/** The demand that was taken in. @throws Error when it was refused. */
export async function taken(look: Look, body: object): Promise<Demand> {
  const told = await demand(look, body);
  if (told.status !== 202) throw new Error('a demand was not taken in');
  return told.json as Demand;
}

export async function read(look: Look, id: string): Promise<Demand> {
  const told = await asClient(look, `/erasures/${id}`);
  if (told.status !== 200) throw new Error('a demand was not told of');
  return told.json as Demand;
}

/** Takes a demand back. @returns the status of the answer. */
export const undo = async (look: Look, id: string): Promise<number> =>
  (await asClient(look, `/erasures/${id}/undo`, { method: 'POST' })).status;

/** How a demand stands once `is` holds of it, or when the time is over. */
export async function followed(
  look: Look,
  id: string,
  { is, withinMs }: { is: (demand: Demand) => boolean; withinMs: number },
): Promise<Demand> {
  for (const end = performance.now() + withinMs; ; ) {
    const demand = await read(look, id);
    if (is(demand) || performance.now() > end) return demand;
    await sleep(LOOK_EVERY_MS, undefined, { signal: look.signal });
  }
}

/** How many decisions of somebody the interface shows, and how many purposes it calls granted. */
export async function shownOf(
  look: Look,
  { userId }: Canary,
): Promise<{ receipts: number; granted: string }> {
  const told = await asClient(look, '/consents/status', {
    body: { handle: { userId } },
  });
  const { receipts, purposes } = (told.json ?? {}) as {
    receipts?: unknown[];
    purposes?: Record<string, { granted: boolean }>;
  };
  if (told.status !== 200 || !receipts || !purposes) throw new Error('nothing was told');
  const granted = Object.keys(purposes).filter((id) => purposes[id]?.granted);
  return { receipts: receipts.length, granted: granted.sort().join() };
}

/** What the keyring says of a name: an opaque id, `erased`, or `unknown`. */
export async function whois(look: Look, { userId }: Canary): Promise<string> {
  const found = await look.keys.whois(look.tenant, { kind: 'user', value: userId });
  return found;
}

/** Whether the keyring hands out the key of any of these. */
export async function hasKey(look: Look, subjects: readonly string[]): Promise<boolean> {
  const ask = { tenant: look.tenant, subjects: [...subjects], at: Date.now() };
  const answers = await look.keeper.call('open', ask);
  return answers.some((answer) => typeof answer === 'object');
}
