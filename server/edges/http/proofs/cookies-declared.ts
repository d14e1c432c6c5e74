import { broken, defineProof, gap, kept, saw, terms } from '#core/promises';
import { crawl, isHtml, sawEnough } from './crawl.ts';

const SETS = /\bdocument\.cookie\s*=|\bcookieStore\.set\b/;

export const cookiesDeclared = defineProof({
  control: 'web.cookies-declared',
  strength: 'protocol',
  blindTo: 'The operator’s own session, which nobody gets without the operator’s link.',
  async prove(at) {
    const declared = Object.values(at.policy.cookies ?? {}).map(({ name }) => name);
    const visited = await crawl(at);
    if (!sawEnough(visited)) return gap(saw`only ${visited.length} addresses could be visited`);
    const set = visited.flatMap(({ told }) =>
      told.headers.getSetCookie().map((line) => line.split('=')[0]?.trim() ?? ''),
    );
    const others = [...new Set(set)].filter((name) => !declared.includes(name));
    if (others.length > 0) return broken(saw`undeclared cookies are set: ${terms(others)}`);
    const scripts = visited.filter(
      (one) => isHtml(one) || /javascript/.test(one.told.headers.get('content-type') ?? ''),
    );
    const writing = scripts.filter(({ told }) => SETS.test(told.text));
    if (writing.length > 0)
      return broken(saw`scripts set cookies: ${terms(writing.map(({ path }) => path))}`);
    return kept(
      saw`${visited.length} answers set ${set.length} cookies, all of the ${declared.length} declared; ${scripts.length} pages and scripts set none`,
    );
  },
});
