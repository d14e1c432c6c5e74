import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term, terms } from '#core/promises';
import { crawl, sawEnough, type Visited } from './crawl.ts';

/** Whether a policy of content lets in what an injected text would need. */
export function isStrict(value: string): boolean {
  const rules = new Map(
    value.split(';').map((rule) => {
      const [name = '', ...sources] = rule.trim().split(/\s+/);
      return [name.toLowerCase(), sources] as const;
    }),
  );
  const own = /^'(self|none|sha(256|384|512)-[A-Za-z0-9+/=]+|nonce-[^']+)'$/;
  const loading = [...rules].filter(([name]) => name.endsWith('-src'));
  const rest = rules.get('default-src') ?? [];
  return (
    rest.length > 0 &&
    loading.every(([, sources]) => sources.length > 0 && sources.every((one) => own.test(one))) &&
    (rules.get('base-uri') ?? []).join() === "'none'" &&
    (rules.get('frame-ancestors') ?? []).join() === "'none'"
  );
}

const ONE_OF =
  (...allowed: string[]) =>
  (value: string) =>
    allowed.includes(value.toLowerCase());

/** What each header has to say; one that is not here has to be there. */
const DEMANDS: Readonly<Record<string, (value: string) => boolean>> = {
  'content-security-policy': isStrict,
  'x-frame-options': ONE_OF('deny', 'sameorigin'),
  'x-content-type-options': ONE_OF('nosniff'),
  'referrer-policy': ONE_OF('no-referrer', 'same-origin', 'strict-origin'),
};

/** What is asked for once more, with a cookie of anybody's, and as the operator. */
async function withCookies(at: Look, visited: readonly Visited[]): Promise<Visited[]> {
  const cookie = 'seen=1';
  const again: Visited[] = [];
  for (const { path } of visited.filter(({ method }) => method === 'GET')) {
    const accept = path.startsWith('/v1/') ? '*/*' : 'text/html, */*';
    const told = await at.http(path, { headers: { accept, cookie } });
    const operator = await at.operator(path, { headers: { accept } });
    again.push({ method: 'GET with a cookie', path, told });
    again.push({ method: 'GET as operator', path, told: operator });
  }
  const path = `/v1/t/${at.tenant}/batch`;
  const told = await at.canaries.send([], { headers: { cookie } });
  return [...again, { method: 'POST with a cookie', path, told }];
}

export const headers = defineProof({
  control: 'web.headers',
  strength: 'protocol',
  blindTo: 'Answers of a proxy that stands in front of this server.',
  async prove(at, { headers: wanted }) {
    const strange = await crawl(at);
    if (!sawEnough(strange)) return gap(saw`only ${strange.length} addresses could be visited`);
    const visited = [...strange, ...(await withCookies(at, strange))];
    const names = wanted as readonly string[];
    for (const name of names) {
      const demand = DEMANDS[name.toLowerCase()] ?? ((value: string) => value !== '');
      const without = visited.filter(({ told }) => !demand(told.headers.get(name) ?? ''));
      const [first] = without;
      if (first) {
        const where = terms(without.map(({ method, path }) => `${method} ${path}`));
        return broken(
          saw`${term(name)} is missing or weak at ${without.length} of ${visited.length} answers: ${where}`,
        );
      }
    }
    return kept(saw`${visited.length} of ${visited.length} answers carried ${terms(names)}`);
  },
});
