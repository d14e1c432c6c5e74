import { broken, defineProof, gap, kept, saw, terms } from '#core/promises';
import { crawl, isHtml, sawEnough, type Visited } from './crawl.ts';
import { isStrict } from './headers.ts';

/** Attributes and rules that make a browser fetch something. A link that a person follows is none. */
const LOADS = [
  /<(?:script|img|iframe|source|video|audio|embed|object|track|input)\b[^>]*?\s(?:src|data|srcset|poster)\s*=\s*["']?\s*((?:https?:)?\/\/[^"'\s>]+)/gi,
  /<link\b[^>]*?\shref\s*=\s*["']?\s*((?:https?:)?\/\/[^"'\s>]+)/gi,
  /<form\b[^>]*?\saction\s*=\s*["']?\s*((?:https?:)?\/\/[^"'\s>]+)/gi,
  /@import\s+(?:url\()?["']?\s*((?:https?:)?\/\/[^"')\s;]+)/gi,
  /\burl\(\s*["']?\s*((?:https?:)?\/\/[^"')\s]+)/gi,
];

const foreignLoads = (text: string) =>
  LOADS.flatMap((pattern) => [...text.matchAll(pattern)].map(([, url]) => url ?? ''));

const loading = /^text\/(html|css)/;

/** Cookies for another domain, or that other sites send along. */
const foreignCookies = ({ told }: Visited) =>
  told.headers.getSetCookie().filter((line) => /;\s*(domain=|samesite=none)/i.test(line));

export const firstPartyOnly = defineProof({
  control: 'web.first-party-only',
  strength: 'protocol',
  blindTo: 'Pages of other sites that load the client library from here.',
  async prove(at) {
    const visited = await crawl(at);
    if (!sawEnough(visited)) return gap(saw`only ${visited.length} addresses could be visited`);
    const pages = visited.filter(isHtml);
    const open = pages.filter(
      ({ told }) => !isStrict(told.headers.get('content-security-policy') ?? ''),
    );
    if (open.length > 0)
      return broken(saw`${open.length} pages would let a browser load from elsewhere`);
    const foreign = visited
      .filter(({ told }) => loading.test(told.headers.get('content-type') ?? ''))
      .flatMap(({ told }) => foreignLoads(told.text));
    if (foreign.length > 0) return broken(saw`pages load from ${terms(foreign)}`);
    const cookies = visited.flatMap(foreignCookies);
    if (cookies.length > 0) return broken(saw`${cookies.length} cookies reach beyond this site`);
    return kept(
      saw`${pages.length} pages name no foreign source, and tell the browser to load from none`,
    );
  },
});
