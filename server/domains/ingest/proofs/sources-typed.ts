import { broken, defineProof, gap, kept, saw, term } from '#core/promises';

/** Whose word it is, by the place in the platform that data comes from. */
const PARTIES: Readonly<Record<string, 'first' | 'other'>> = {
  events: 'first',
  http: 'first',
  accounts: 'first',
  sessions: 'first',
  vault: 'first',
  consent: 'first',
  rights: 'first',
  cases: 'first',
  audit: 'first',
  incidents: 'first',
  billing: 'first',
  insights: 'first',
  messaging: 'first',
  federated: 'first',
  agents: 'first',
  webhooks: 'other',
  connectors: 'other',
};

type Shown = { readonly types: readonly { id: string; from: string; party?: string }[] };

export const sourcesTyped = defineProof({
  control: 'ingest.sources-typed',
  strength: 'api',
  blindTo: 'Where a sender had it from before it came here.',
  async prove(look) {
    const { status, json } = await look.http(`/v1/t/${look.tenant}/data-map`);
    if (status !== 200) return gap(saw`the data map is not served`);
    const shown = new Map((json as Shown).types.map((type) => [type.id, type]));
    const declared = Object.entries(look.policy.data);
    let others = 0;
    for (const [id, { from }] of declared) {
      const party = PARTIES[from.split('.', 1)[0] ?? ''];
      if (party === undefined) return gap(saw`it is not known who speaks in ${term(from)}`);
      const type = shown.get(id);
      if (type?.party !== party || type.from !== from) {
        return broken(saw`the source of ${term(id)} is not marked as what it is`);
      }
      if (party === 'other') others++;
    }
    return kept(
      saw`${declared.length} sources are marked for everybody to see: ${declared.length - others}
 first-party, ${others} of another party`,
    );
  },
});
