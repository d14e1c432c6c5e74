/** Proofs that would disturb each other take turns, service by service, within one round. */
const last = new Map<string, Promise<unknown>>();

export function inTurn<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const before = last.get(name) ?? Promise.resolve();
  const mine = before.then(work, work);
  last.set(name, mine);
  return mine;
}
