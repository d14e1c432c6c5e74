/** What a plan says before anything is done; against another document, so that no server is asked. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runCommand } from './index.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const POLICY = join(ROOT, 'policies', 'clanker.yaml');
const folder = mkdtempSync(join(tmpdir(), 'troth-plan-'));
after(() => rmSync(folder, { recursive: true, force: true }));
cpSync(join(ROOT, 'policies', 'clanker.md'), join(folder, 'clanker.md'));

/** The plan from the policy as it is to one that says some words otherwise. */
async function planOf(...changes: [from: string, to: string][]) {
  let text = readFileSync(POLICY, 'utf8');
  for (const [from, to] of changes) {
    assert.ok(text.includes(from), from);
    text = text.replace(from, to);
  }
  const file = join(folder, 'next.yaml');
  writeFileSync(file, text);
  const plan = async (...more: string[]) => {
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    const nowhere = {
      root: folder,
      dataDir: folder,
      policiesDir: folder,
      keyring: { dir: folder },
    };
    const code = await runCommand(['plan', file, '--against', POLICY, ...more], {
      ...nowhere,
      today: '2026-03-02',
      colour: false,
      readInput: async () => '',
      print: say,
      complain: say,
    });
    return { code, said: said.join('\n') };
  };
  return { ...(await plan()), document: JSON.parse((await plan('--json')).said) };
}

test('a plan of what apply would refuse shows each open error, and its answer is no', async () => {
  const { code, said, document } = await planOf(['retain: P90D', 'retain: P60D']);
  assert.equal(code, 1);
  assert.match(said, /90 days → 60 days/);
  assert.match(said, /next\.yaml:\d+.*number\/differs/);
  assert.match(said, /apply would refuse: 1 open error\. See: troth lint .*next\.yaml/);
  assert.deepEqual([document.open, document.findings[0].code], [1, 'number/differs']);
});

test('a plan tells of words and of the version, which make a revision though no step', async () => {
  const { code, said, document } = await planOf(['title: Agent Commands', 'title: Commands']);
  assert.equal(code, 0);
  assert.match(said, /~ data\.agent-commands\.title: Agent Commands → Commands/);
  assert.match(said, /0 steps, 1 other change;/);
  assert.match(said, /The version stays 2\.0: apply takes that with --same-version only/);
  assert.equal(document.texts.length, 1);
  assert.doesNotMatch(said, /Nothing changes/);
});

test('where nothing changes the plan says so', async () => {
  const { code, said } = await planOf();
  assert.deepEqual([code, said], [0, 'Nothing changes.']);
});
