import { broken, defineProof, gap, kept, saw, term, terms } from '#core/promises';
import { crawl, sawEnough } from './crawl.ts';

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

export const headers = defineProof({
  control: 'web.headers',
  strength: 'protocol',
  blindTo: 'Answers of a proxy that stands in front of this server.',
  async prove(at, { headers: wanted }) {
    const visited = await crawl(at);
    if (!sawEnough(visited)) return gap(saw`only ${visited.length} addresses could be visited`);
    const names = wanted as readonly string[];
    for (const name of names) {
      const demand = DEMANDS[name.toLowerCase()] ?? ((value: string) => value !== '');
      const without = visited.filter(({ told }) => !demand(told.headers.get(name) ?? ''));
      const [first] = without;
      if (first) {
        const where = terms(without.map(({ method, path }) => `${method} ${path}`));
        return broken(
          saw`${term(name)} is missing or weak at ${without.length} of ${visited.length} addresses: ${where}`,
        );
      }
    }
    return kept(saw`${visited.length} of ${visited.length} answers carried ${terms(names)}`);
  },
});
