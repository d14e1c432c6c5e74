import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lint, readPolicy } from '@troth/policy-language';
import { runCommand } from './index.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

async function init(
  args: string[],
  { ask, policiesDir }: { ask?: (question: string) => Promise<string>; policiesDir: string },
) {
  const said: string[] = [];
  const code = await runCommand(['init', ...args], {
    root: ROOT,
    dataDir: policiesDir,
    policiesDir,
    keyring: { dir: '/nowhere' },
    readInput: async () => '',
    today: '2026-03-02',
    colour: false,
    ask,
    print: (text) => said.push(text),
    complain: (text) => said.push(text),
  });
  return { code, said: said.join('\n') };
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'troth-init-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const GIVEN = ['--service', 'acme', '--name', 'Acme Ltd', '--email', 'privacy@acme.example'];

test('a first policy is written by options alone, lints clean, and is not written over', () =>
  inFolder(async (folder) => {
    const { code, said } = await init(GIVEN, { policiesDir: folder });
    assert.equal(code, 0, said);
    const { policy } = readPolicy(readFileSync(join(folder, 'acme.yaml'), 'utf8'), { file: 'a' });
    assert.ok(policy);
    assert.deepEqual(lint(policy, readFileSync(join(folder, 'acme.md'), 'utf8')), []);
    const again = await init(GIVEN, { policiesDir: folder });
    assert.equal(again.code, 2);
    assert.match(again.said, /it is there already/);
  }));

test('whoever sits at the terminal is asked, and an empty answer is the usual one', () =>
  inFolder(async (folder) => {
    const answers = ['acme', 'Acme Ltd', 'privacy@acme.example', '', 'agents', '30'];
    const ask = async () => answers.shift() ?? '';
    const { code, said } = await init([], { policiesDir: folder, ask });
    assert.equal(code, 0, said);
    const text = readFileSync(join(folder, 'acme.yaml'), 'utf8');
    assert.match(text, /minimum: 16/);
    assert.match(text, /agent-commands:/);
    assert.match(text, /retain: P30D/);
  }));

test('answers that make no policy are refused with a sentence, and nothing is written', () =>
  inFolder(async (folder) => {
    const wrong = [
      [['--service', 'Not A Name'], /named with/],
      [['--age', 'seven'], /age/],
      [['--days', '0'], /1 to 3650 days/],
      [['--template', '__proto__'], /web, agents/],
      [['--email', 'nobody'], /e-mail/],
    ] as const;
    for (const [more, sentence] of wrong) {
      const { code, said } = await init([...GIVEN, ...more], { policiesDir: folder });
      assert.equal(code, 2);
      assert.match(said, sentence);
    }
    const silent = await init(['--service', 'acme'], { policiesDir: folder });
    assert.equal(silent.code, 2);
    assert.match(silent.said, /--name/);
    assert.ok(!existsSync(join(folder, 'acme.yaml')));
  }));

test('the samples go, and what is one’s own stays', () =>
  inFolder(async (folder) => {
    for (const name of ['clanker.yaml', 'loopkit.md', 'mine.yaml'])
      writeFileSync(join(folder, name), 'x');
    const { code, said } = await init(['--remove-samples'], { policiesDir: folder });
    assert.equal(code, 0, said);
    assert.ok(!existsSync(join(folder, 'clanker.yaml')));
    assert.ok(!existsSync(join(folder, 'loopkit.md')));
    assert.ok(existsSync(join(folder, 'mine.yaml')));
  }));
