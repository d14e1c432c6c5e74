import { broken, defineProof, kept, saw } from '#core/promises';

const YEAR_MS = 366 * 86_400_000;

/** The file as RFC 9116 reads it: fields by name, comments left out. */
function fieldsOf(text: string): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^([A-Za-z-]+):\s*(.+)$/.exec(line);
    if (!match) continue;
    const name = (match[1] ?? '').toLowerCase();
    fields.set(name, [...(fields.get(name) ?? []), match[2] ?? '']);
  }
  return fields;
}

export const securityTxt = defineProof({
  control: 'web.security-txt',
  strength: 'protocol',
  blindTo: 'Whether somebody reads what is sent to the contact.',
  async prove(at) {
    const { status, text, headers } = await at.http('/.well-known/security.txt');
    if (status !== 200) return broken(saw`security.txt answers ${status}`);
    if (!headers.get('content-type')?.startsWith('text/plain'))
      return broken(saw`security.txt is no plain text`);
    const fields = fieldsOf(text);
    const own = at.policy.controller.contacts['security']?.email;
    const contacts = fields.get('contact') ?? [];
    const named = own === undefined ? contacts.length > 0 : contacts.includes(`mailto:${own}`);
    if (!named) return broken(saw`security.txt names ${contacts.length} contacts, not this one`);
    const expires = fields.get('expires') ?? [];
    const left = Date.parse(expires[0] ?? '') - (await at.now()).getTime();
    if (expires.length !== 1 || !(left > 0 && left < YEAR_MS))
      return broken(saw`security.txt has expired, or lasts for more than a year`);
    const policies = (fields.get('policy') ?? []).map((url) => new URL(url).pathname);
    const policy = policies.find((path) => path.split('/').includes(at.tenant));
    const page = policy === undefined ? undefined : await at.http(policy);
    if (page?.status !== 200) return broken(saw`security.txt leads to no policy for disclosures`);
    return kept(
      saw`security.txt names the contact, leads to the policy and lasts ${Math.round(left / 86_400_000)} days`,
    );
  },
});
