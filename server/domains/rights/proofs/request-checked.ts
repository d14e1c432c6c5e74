import { asClient, bearer, type Canary, type Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw } from '#core/promises';
import { demand, nameOf, read, shownOf, whois } from './demands.ts';
import { erased } from './erased.ts';

/** Whether somebody is there as before: a name that leads to an id, decisions that are shown. */
async function isThere(look: Look, canary: Canary): Promise<boolean> {
  const who = await whois(look, canary);
  return /^[0-9a-f]{32}$/.test(who) && (await shownOf(look, canary)).receipts > 0;
}

const demandsOf = async ({ sql, tenant }: Look, subject: string): Promise<number> => {
  const [row] = await sql<{ demands: number }[]>`
    select count(*)::int as demands
    from troth.erasures
    where tenant = ${tenant} and subject = ${subject}::uuid`;
  return row?.demands ?? 0;
};

async function confirmation(look: Look): Promise<Seen> {
  const canary = await look.canaries.agreeing();
  const subject = (await look.canaries.subjectOf('user', canary.userId)) ?? '';
  if (!(await isThere(look, canary))) return gap(saw`the canary is not there to begin with`);
  const handle = nameOf(canary);
  for (const body of [{ handle }, { handle, confirm: false }]) {
    const { status } = await demand(look, body);
    if (status < 400) return broken(saw`a demand that nobody confirmed was taken in`);
    if (status >= 500) return gap(saw`a demand was not answered: ${status}`);
  }
  if (!(await isThere(look, canary)) || (await demandsOf(look, subject)) > 0) {
    return broken(saw`a refused demand began all the same`);
  }
  const confirmed = await erased(look);
  if (confirmed.demand.hiddenAt === null) return gap(saw`a confirmed demand was not carried out`);
  return kept(
    saw`2 of 2 demands without a confirmation were refused and changed nothing; a confirmed one was carried out`,
  );
}

async function reason(look: Look): Promise<Seen> {
  const scene = await erased(look);
  const [stored] = await look.sql<{ reason: string }[]>`
    select reason from troth.erasures where id = ${scene.demand.id}`;
  if (!stored) return broken(saw`the ledger has no row of a demand`);
  const told = await read(look, scene.demand.id);
  if (stored.reason !== scene.reason || told.reason !== scene.reason) {
    return broken(saw`the reason that was given is not the one on record`);
  }
  return kept(saw`the ledger and the interface hold the reason that was given with the demand`);
}

/** Who may not ask: nobody, a key that is none, and the key of another service. */
const strangers = (look: Look): Readonly<Record<string, string>>[] => [
  {},
  { authorization: `Bearer tk_${'0'.repeat(56)}` },
  ...look.others.slice(0, 1).map((other) => bearer(other.writeKey)),
];

async function identity(look: Look): Promise<Seen> {
  if (look.policy.rights?.erasure?.verification !== 'person') {
    return gap(saw`the policy does not publish that a person verifies who asks`);
  }
  const canary = await look.canaries.agreeing();
  const subject = (await look.canaries.subjectOf('user', canary.userId)) ?? '';
  if (!(await isThere(look, canary))) return gap(saw`the canary is not there to begin with`);
  const path = `/v1/t/${look.tenant}/erasures`;
  const body = { handle: nameOf(canary), confirm: true };
  const asking = strangers(look);
  for (const headers of asking) {
    const { status } = await look.http(path, { headers, body });
    if (status < 400) return broken(saw`a stranger's demand was taken in`);
    if (status >= 500) return gap(saw`a demand was not answered: ${status}`);
  }
  const unverified = await look.operator(path, { body });
  if (unverified.status < 400) return broken(saw`support asked, and nobody had to verify for whom`);
  const claimed = await asClient(look, '/erasures', {
    body: { ...body, verified: 'x y' },
  });
  if (claimed.status < 400) return broken(saw`a verification that says nothing was taken in`);
  if (!(await isThere(look, canary)) || (await demandsOf(look, subject)) > 0) {
    return broken(saw`a refused demand began all the same`);
  }
  const verified = await look.operator(path, { body: { ...body, verified: 'call-back' } });
  if (verified.status !== 202) return gap(saw`a verified demand was not taken in`);
  const { id } = verified.json as { id: string };
  const [stored] = await look.sql<{ verified: string | null }[]>`
    select verified from troth.erasures where id = ${id}`;
  if (stored?.verified !== 'call-back') return broken(saw`how it was verified is not on record`);
  return kept(
    saw`${asking.length} strangers were refused, and so was support without a verification; with one it was taken in, and how is on record`,
  );
}

export const requestChecked = defineProof({
  control: 'erasure.request-checked',
  strength: 'api',
  blindTo: 'Whether the one who verifies looks closely: that is attested by people.',
  prepare: erased,
  async prove(look, { check }) {
    if (check === 'confirmation') return confirmation(look);
    if (check === 'reason') return reason(look);
    return identity(look);
  },
});
