import { asClient, type Look, readBack } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term } from '#core/promises';

/** What the page calls each basis. */
const TITLES: Readonly<Record<string, string>> = {
  consent: 'Consent',
  contract: 'Contract',
  'legal-obligation': 'Legal obligation',
  'legitimate-interests': 'Legitimate interests',
};

/** The purposes that stay on whatever a person withdraws, each with its basis, as the service says. */
async function staysUnder(at: Look, userId: string): Promise<Record<string, string> | undefined> {
  const { status, json } = await asClient(at, '/consents/withdraw', {
    body: { handle: { userId } },
  });
  return status === 200 ? (json as { staysUnder: Record<string, string> }).staysUnder : undefined;
}

/** A type of events that is for this purpose alone. */
const typeFor = ({ canaries, policy }: Look, purpose: string) =>
  canaries.eventTypes.find((id) => policy.data[id]?.purposes.join() === purpose);

/** The basis as the row of the page has it. */
function printed(html: string, title: string): string | undefined {
  const row = html
    .split('<tr>')
    .find((cells) => cells.startsWith(`<td>${title}</td>`) && cells.split('<td>').length === 5);
  return row?.split('<td>')[3]?.split('</td>')[0];
}

export const basis = defineProof({
  control: 'purpose.basis',
  strength: 'protocol',
  blindTo: 'Whether the basis would stand before a court.',
  async prove(at, { purpose, basis: wanted }) {
    const [id, ground] = [String(purpose), String(wanted)];
    const declared = at.policy.purposes[id];
    if (declared?.basis !== ground)
      return broken(saw`the policy names another basis for ${term(id)}`);
    const page = await at.http(`/v1/t/${at.tenant}/policy.html`);
    if (printed(page.text, declared.title ?? id) !== TITLES[ground])
      return broken(saw`the page names another basis for ${term(id)}`);
    const person = at.canaries.person();
    const stays = await staysUnder(at, person.userId);
    if (!stays) return gap(saw`the canary could not withdraw`);
    const essential = declared.required === true && ground !== 'consent';
    if (essential && stays[id] !== ground)
      return broken(saw`after a withdrawal, ${term(id)} is not said to rest on ${term(ground)}`);
    const data = typeFor(at, id);
    if (!essential || data === undefined)
      return kept(
        saw`document, page and a withdrawal's answer name ${term(ground)} for ${term(id)}`,
      );
    const row = await readBack(at, data, at.canaries.event(data, person));
    if (!row) return broken(saw`after a withdrawal, an event for ${term(id)} was not kept`);
    return kept(
      saw`document, page and a withdrawal's answer name ${term(ground)} for ${term(id)}; a canary in ${term(data)} outlived the withdrawal of everything`,
    );
  },
});
