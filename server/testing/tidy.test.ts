/**
 * The style of the house as a test: who may import whom, names, sizes, words, and the links between
 * codes, their pages and the tests that provoke them.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { test } from 'node:test';
import { ALLOWED_PAIRS, LAYERS, LONG_FILES } from '../architecture.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const IGNORED = /(^|\/)(node_modules|dist|\.data|\.cache)(\/|$)/;

type Source = { file: string; text: string; lines: string[] };

function sources(pattern: string): Source[] {
  return globSync(pattern, { cwd: ROOT })
    .map((file) => file.split(sep).join('/'))
    .filter((file) => !IGNORED.test(file) && statSync(join(ROOT, file)).isFile())
    .map((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      return { file, text, lines: text.split('\n') };
    });
}

const code = sources('{policy-language,server,sdk,console,bench,demo}/**/*.{ts,tsx}');
const server = code.filter(({ file }) => file.startsWith('server/'));
const isProof = (file: string) => /\/proofs\/[^/]+\.ts$/.test(file);
const isTest = (file: string) => /\.test\.tsx?$|\/testing\/|\/journeys\//.test(file);
/** An address, a string or a pattern stands on one line, however long it is. */
const UNBREAKABLE = /https?:|['"`]|^\s*\/\S/;
const complain = (complaints: string[]) => assert.deepEqual(complaints, []);

/** Every way to name another module: static, bare, re-export and dynamic. */
export function importsOf(text: string): string[] {
  const ways =
    /(?:^|[\s;])(?:import|export)\s(?:[^'";]*?\sfrom\s)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]/gm;
  return [...text.matchAll(ways)].map((found) => found[1] ?? found[2] ?? '');
}

/** "platform/database" of "server/platform/database/index.ts" or of "#platform/database". */
function roomOf(path: string): string | undefined {
  const inside = path.startsWith('#') ? path.slice(1) : path.replace(/^server\//, '');
  const [layer, folder] = inside.split('/');
  if (!layer || !(LAYERS as readonly string[]).includes(layer)) return undefined;
  return layer === 'base' ? 'base' : `${layer}/${folder}`;
}

const rank = (room: string) => LAYERS.indexOf(room.split('/')[0] as (typeof LAYERS)[number]);

export function importComplaints({ file, text }: Pick<Source, 'file' | 'text'>): string[] {
  const from = roomOf(file);
  const complaints: string[] = [];
  for (const target of importsOf(text)) {
    if (/\/proofs(\/|$)/.test(target))
      complaints.push(`${file}: ${target} is for the list of proofs`);
    if (target.startsWith('../')) complaints.push(`${file}: ${target} climbs out of its folder`);
    const to = target.startsWith('#') ? roomOf(target) : undefined;
    if (!from || !to || from === to) continue;
    if (rank(to) > rank(from)) complaints.push(`${file}: ${from} looks up at ${to}`);
    const sideways = rank(to) === rank(from) && !ALLOWED_PAIRS[from]?.includes(to);
    if (sideways) complaints.push(`${file}: ${from} may not know ${to}`);
  }
  return complaints;
}

test('imports point down, sideways only where the architecture says so, and never climb', () => {
  const judged = server.filter(({ file }) => !isTest(file) && !isProof(file) && roomOf(file));
  complain(judged.flatMap(importComplaints));
});

test('no folder knows itself by way of others', () => {
  const reach = (from: string, seen: Set<string>): Set<string> => {
    for (const to of ALLOWED_PAIRS[from] ?? []) if (!seen.has(to)) reach(to, seen.add(to));
    return seen;
  };
  complain(Object.keys(ALLOWED_PAIRS).filter((room) => reach(room, new Set()).has(room)));
});

test('the import check sees an upward, a sideways, a climbing and a dynamic import', () => {
  const seen = (file: string, text: string) => importComplaints({ file, text }).length;
  assert.equal(seen('server/core/keys/a.ts', "import { x } from '#domains/consent';"), 1);
  assert.equal(seen('server/domains/consent/a.ts', "import '#domains/ingest';"), 1);
  assert.equal(seen('server/core/keys/a.ts', "import { x } from '../audit/store.ts';"), 1);
  assert.equal(seen('server/core/keys/a.ts', "await import('#edges/http');"), 1);
  assert.equal(seen('server/core/keys/a.ts', "export { x } from './proofs/index.ts';"), 1);
  assert.equal(seen('server/domains/ingest/a.ts', "import { x } from '#core/keys/proofs';"), 1);
  assert.equal(seen('server/domains/ingest/a.ts', "import type { K } from '#core/keys';"), 0);
});

test('every pair the architecture allows exists', () => {
  const rooms = new Set(server.map(({ file }) => roomOf(file)));
  const named = Object.entries(ALLOWED_PAIRS).flatMap(([from, tos]) => [from, ...tos]);
  complain(named.filter((room) => !rooms.has(room)));
});

test('no file is a drawer, and no name says what everything is', () => {
  const drawers = /(^|[-/])(utils?|helpers?|common|misc|lib|shared|managers?|services?)(\.tsx?|\/)/;
  complain(code.map(({ file }) => file).filter((file) => drawers.test(file)));
});

test('a source file is a room of at most 400 lines, and a line at most 100 characters', () => {
  const long = code
    .filter(({ file, lines }) => lines.length > 401 && !LONG_FILES.includes(file))
    .map(({ file, lines }) => `${file}: ${lines.length} lines`);
  const wide = code.flatMap(({ file, lines }) =>
    lines.flatMap((line, index) =>
      line.length > 100 && !UNBREAKABLE.test(line) ? [`${file}:${index + 1}`] : [],
    ),
  );
  complain([...long, ...wide]);
});

test('nothing is left for later', () => {
  const words = new RegExp(
    `\\b(${['TO', 'FIX', 'XX'].map((w) => `${w}${w === 'TO' ? 'DO' : w === 'FIX' ? 'ME' : 'X'}`).join('|')})\\b`,
  );
  complain(
    code.flatMap(({ file, lines }) =>
      lines.flatMap((line, index) => (words.test(line) ? [`${file}:${index + 1}`] : [])),
    ),
  );
});

test('only the composition root and the CLI read the environment', () => {
  const readers = server.filter(
    ({ file, text }) =>
      /process\.env/.test(text) &&
      !isTest(file) &&
      file !== 'server/main.ts' &&
      !file.includes('/edges/cli/') &&
      !/\/process\.ts$/.test(file),
  );
  complain(readers.map(({ file }) => file));
});

test('SQL of a domain stands in its store, its controls or its personal data', () => {
  const sql = /`\s*(select|insert into|update|delete from)\s/;
  const allowed =
    /\/((store|controls|proofs|personal-data|inbox|mover|ledger)[^/]*|proofs\/[^/]+)\.ts$/;
  complain(
    server
      .filter(
        ({ file, text }) =>
          file.startsWith('server/domains/') &&
          !isTest(file) &&
          sql.test(text) &&
          !allowed.test(file),
      )
      .map(({ file }) => file),
  );
});

const proofFiles = server.filter(({ file }) => isProof(file));

test('a proof imports nothing of what it checks', () => {
  const allowed = /^(#core\/(promises|looking)|#base\/|@troth\/policy-language$|node:|\.\/)/;
  complain(
    proofFiles
      .filter(({ file }) => !isTest(file))
      .flatMap(({ file, text }) =>
        importsOf(text)
          .filter((target) => !allowed.test(target))
          .map((target) => `${file}: ${target}`),
      ),
  );
});

test('each proof has a test that sabotages its control and sees it broken', () => {
  const proven = proofFiles
    .filter(({ file }) => !isTest(file))
    .flatMap(({ text }) => [...text.matchAll(/control: '([a-z.-]+)'/g)].map(([, name]) => name));
  const sabotaged = new Set(
    proofFiles
      .filter(({ file }) => isTest(file))
      .flatMap(({ text }) => [...text.matchAll(/\.breaks\(\s*'([a-z.-]+)'/g)])
      .map(([, name]) => name),
  );
  assert.ok(proven.length > 0);
  complain(proven.filter((name) => !sabotaged.has(name)).map((name) => `${name} is never broken`));
});

test('each problem code is declared once, has a page, and is provoked by a test', () => {
  const declared = new Map<string, string>();
  const twice: string[] = [];
  for (const { file, text } of server) {
    if (isTest(file)) continue;
    for (const table of text.matchAll(/problems\(\{([\s\S]*?)\n\}\)/g)) {
      for (const found of (table[1] ?? '').matchAll(/^\s*'?([a-z][a-z0-9-]*)'?:\s*\{\s*status/gm)) {
        const name = found[1] ?? '';
        if (declared.has(name))
          twice.push(`${name} is declared in ${file} and ${declared.get(name)}`);
        declared.set(name, file);
      }
    }
  }
  const pages = globSync('docs/problems/*.md', { cwd: ROOT }).map((file) => basename(file, '.md'));
  const tests = code
    .filter(({ file }) => isTest(file))
    .map(({ text }) => text)
    .join('\n');
  complain([
    ...twice,
    ...[...declared.keys()].filter((name) => !pages.includes(name)).map((n) => `${n} has no page`),
    ...pages.filter((name) => !declared.has(name)).map((n) => `the page ${n}.md has no code`),
    ...[...declared.keys()].filter((n) => !tests.includes(n)).map((n) => `no test provokes ${n}`),
  ]);
});

test('no two migrations of a section have one number', () => {
  const seen = new Set<string>();
  const files = globSync('server/migrations/*/[0-9]*.sql', { cwd: ROOT });
  complain(
    files.filter((file) => {
      const name = `${dirname(file)} ${basename(file).slice(0, 4)}`;
      if (seen.has(name)) return true;
      seen.add(name);
      return false;
    }),
  );
});

test('each table has one owner', () => {
  const owners = new Map<string, string[]>();
  for (const { file, text } of sources('server/migrations/{control,tenant}/[0-9]*.sql')) {
    for (const found of text.matchAll(
      /^create (?:unlogged )?table (?:if not exists )?([a-z_.]+)/gim,
    )) {
      const table = found[1] ?? '';
      owners.set(table, [...(owners.get(table) ?? []), file]);
    }
    if (!/^-- Owner: [a-z/]+/m.test(text)) owners.set(`${file} names no owner`, ['', '']);
  }
  complain([...owners].filter(([, files]) => files.length > 1).map(([table]) => table));
});

test('each migration has a number of its own', () => {
  const files = globSync('server/migrations/{control,tenant,events}/[0-9]*.sql', { cwd: ROOT });
  const numbers = files.map((file) => `${basename(dirname(file))} ${basename(file).slice(0, 4)}`);
  complain(numbers.filter((number, at) => numbers.indexOf(number) !== at));
});

test('nothing in the repository speaks of the machine it was written on', () => {
  const everything = sources(
    '{*,.ci/*,docs/**/*,policies/*,server/**/*,policy-language/**/*,sdk/**/*,console/**/*,bench/**/*}',
  )
    .filter(({ file }) => /\.(ts|tsx|cjs|md|json|yaml|sql|css|html|toml)$|\.ci\/run$/.test(file))
    .filter(({ file }) => file !== 'package-lock.json');
  const paths = new RegExp(`/(work|farm)/[a-z.]|\\.\\./${'shared'}`);
  complain(everything.filter(({ text }) => paths.test(text)).map(({ file }) => file));
});

test('each Markdown file has exactly one title, and its relative links lead somewhere', () => {
  const pages = sources('{*.md,docs/**/*.md}');
  const complaints: string[] = [];
  for (const { file, text } of pages) {
    const prose = text.replaceAll(/```[\s\S]*?```/g, '');
    const titles = prose.match(/^# /gm)?.length ?? 0;
    if (titles !== 1) complaints.push(`${file} has ${titles} titles`);
    for (const found of prose.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)) {
      const target = join(ROOT, dirname(file), found[1] ?? '');
      if (!existsSync(target)) complaints.push(`${file}: ${relative(ROOT, target)} is not there`);
    }
  }
  complain(complaints);
});
