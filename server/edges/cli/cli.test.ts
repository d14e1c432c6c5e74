/** Every command, as a program and a person run it: the real program, against a real server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type RunningServer, startRunning } from '#testing/running';
import { COMMANDS, runCommand } from './index.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const POLICY = join(ROOT, 'policies', 'clanker.yaml');
const folder = mkdtempSync(join(tmpdir(), 'troth-cli-'));
const inFolder = (name: string) => join(folder, name);
const nowhere = inFolder('no-server');
const today = new Date().toISOString().slice(0, 10);
let server: RunningServer;

before(async () => {
  const text = readFileSync(POLICY, 'utf8');
  writeFileSync(inFolder('broken.yaml'), 'troth: 1\nservice: [\n');
  writeFileSync(inFolder('clanker.md'), readFileSync(POLICY.replace('.yaml', '.md')));
  writeFileSync(inFolder('other.yaml'), text.replace('retain: P90D', 'retain: P80D'));
  const renamed = text.replace('title: Agent Commands', 'title: Commands of Agents');
  writeFileSync(inFolder('renamed.yaml'), renamed);
  const more = text.replace(
    '      sequence: integer',
    '      sequence: integer\n      step: integer',
  );
  writeFileSync(inFolder('material.yaml'), more);
  writeFileSync(inFolder('open.yaml'), text.slice(0, text.indexOf('\nresolves:') + 1));
  writeFileSync(inFolder('kit-that-is-there'), '');
  server = await startRunning();
});
after(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Said = { code: number; out: string; err: string };

/** The real program, in a process of its own. */
function program(args: string[], environment: Record<string, string>): Promise<Said> {
  return new Promise((resolve) => {
    const env = { ...process.env, NODE_NO_WARNINGS: '1', ...environment };
    const child = spawn(process.execPath, ['server/main.ts', ...args], { cwd: ROOT, env });
    const said = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said.out += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said.err += chunk;
    });
    child.once('close', (code) => resolve({ code: code ?? -1, ...said }));
  });
}

/** The same without a process for each. */
async function troth(args: string[], dataDir: string): Promise<Said> {
  const [out, err]: string[][] = [[], []];
  const code = await runCommand(args, {
    root: ROOT,
    dataDir,
    colour: false,
    today: '2026-03-02',
    policiesDir: join(ROOT, 'policies'),
    keyring: { dir: '/nowhere' },
    readInput: async () => '',
    print: (text) => out?.push(text),
    complain: (text) => err?.push(text),
  });
  return { code, out: out?.join('\n') ?? '', err: err?.join('\n') ?? '' };
}

type Case = {
  args: string[];
  code: 0 | 1 | 2;
  /** A member that the document has. */
  has?: string;
  /** Or the problem that it is. */
  problem?: string;
  /** What people read, on whichever output the exit code calls for. */
  says: RegExp;
  alone?: boolean;
};

const kit = (name: string) => ['keys', 'recovery-kit', '--out', inFolder(name)];
const late = ['--same-version', '--reason=why not', `--notice-given=${today}`];
const page = ['--format', 'html', '--out', inFolder('page.html')];
const CASES: Case[] = [
  { args: [], code: 0, has: 'commands', says: /keeps the promises/ },
  { args: ['help'], code: 0, has: 'commands', says: /prove/ },
  { args: ['lint', '--help'], code: 0, has: 'usage', says: /troth lint FILE/ },
  { args: ['toast'], code: 2, problem: 'command-not-understood', says: /"toast" is not a command/ },
  { args: ['constructor'], code: 2, problem: 'command-not-understood', says: /is not a command/ },
  { args: ['init'], code: 2, problem: 'command-not-understood', says: /say it with --service/ },
  { args: ['operator'], code: 2, problem: 'command-not-understood', says: /operator link/ },
  { args: ['erase'], code: 2, problem: 'command-not-understood', says: /say of which service/ },
  {
    args: ['erase', '--tenant', 'clanker', '--user', 'a', '--anonymous', 'b'],
    code: 2,
    problem: 'command-not-understood',
    says: /name one person/,
  },
  {
    args: ['erase', '--tenant', 'clanker', '--user', 'nobody-at-all', '--wait'],
    code: 0,
    has: 'timeline',
    says: /done; the certificate is signed/,
  },
  { args: ['erasures', '--tenant', 'clanker'], code: 0, has: 'erasures', says: /unknown/ },
  {
    args: ['erasures', '--tenant', 'clanker', 'x'],
    code: 2,
    problem: 'command-not-understood',
    says: /not the id of an erasure/,
  },
  { args: ['render', POLICY, '--out', inFolder('a.html')], code: 0, has: 'out', says: /: html, / },
  { args: ['key', 'list', '--tenant', 'clanker'], code: 0, has: 'keys', says: /\(development\)/ },
  { args: ['doctor'], code: 0, has: 'ailments', says: /recovery kit/ },
  { args: ['operator', 'link'], code: 0, has: 'link', says: /\/operator\?token=/ },
  { args: ['lint', POLICY], code: 0, has: 'findings', says: /0 open errors/ },
  { args: ['lint', inFolder('broken.yaml')], code: 1, has: 'findings', says: /[1-9] open errors/ },
  { args: ['lint'], code: 2, problem: 'command-not-understood', says: /name at least one policy/ },
  {
    args: ['lint', '--loud'],
    code: 2,
    problem: 'command-not-understood',
    says: /usage: troth lint/,
  },
  { args: ['lint', '/nowhere'], code: 2, problem: 'command-not-understood', says: /no such file/ },
  { args: ['diff', POLICY, inFolder('other.yaml')], code: 0, has: 'lines', says: /P80D|80 days/ },
  { args: ['diff', POLICY], code: 2, problem: 'command-not-understood', says: /name two policies/ },
  {
    args: ['diff', POLICY, inFolder('broken.yaml')],
    code: 2,
    problem: 'command-not-understood',
    says: /is not a policy/,
  },
  { args: ['render', POLICY], code: 0, has: 'page', says: /Data Protection Matrix/ },
  {
    args: ['render', POLICY, ...page],
    code: 0,
    has: 'bytes',
    says: /^wrote .*page\.html: html, \d+ bytes, of the policy [0-9a-f]{12}$/m,
  },
  {
    args: ['render', join(ROOT, 'policies', 'loopkit.yaml'), ...page],
    code: 1,
    problem: 'policy-unfilled',
    says: /\[EU Address\]/,
  },
  {
    args: ['render', POLICY, '--format', 'pdf'],
    code: 2,
    problem: 'command-not-understood',
    says: /html or markdown/,
  },
  {
    args: ['render', POLICY, '--out', '/nowhere/page'],
    code: 1,
    problem: 'file-not-written',
    says: /ENOENT/,
  },
  { args: ['explain', 'CW-11'], code: 0, has: 'lines', says: /CW-11/ },
  { args: ['explain', 'XX-1'], code: 1, problem: 'promise-not-made', says: /no promise XX-1/ },
  { args: ['plan', inFolder('other.yaml')], code: 1, has: 'findings', says: /would be deleted/ },
  { args: ['plan', inFolder('other.yaml')], code: 1, has: 'steps', says: /first:/, alone: true },
  {
    args: ['plan', inFolder('broken.yaml')],
    code: 2,
    problem: 'command-not-understood',
    says: /is not a policy/,
  },
  {
    args: ['apply', inFolder('open.yaml')],
    code: 1,
    problem: 'policy-has-errors',
    says: /open errors/,
  },
  {
    args: ['apply', POLICY],
    code: 1,
    problem: 'server-not-running',
    says: /npm start/,
    alone: true,
  },
  {
    args: ['apply', inFolder('renamed.yaml')],
    code: 1,
    problem: 'policy-reason-missing',
    says: /Say why, in 3 characters or more/,
  },
  {
    args: ['apply', inFolder('renamed.yaml'), '--reason', 'features: a new name'],
    code: 1,
    problem: 'policy-version-reused',
    says: /the same one is meant/,
  },
  {
    args: ['apply', inFolder('material.yaml'), ...late],
    code: 1,
    problem: 'policy-notice-not-run',
    says: /It may take effect on \d{4}-\d{2}-\d{2}, by the notice given/,
  },
  {
    args: ['apply', POLICY, '--notice-given', 'monday'],
    code: 2,
    problem: 'command-not-understood',
    says: /YYYY-MM-DD/,
  },
  { args: ['inbox'], code: 0, has: 'stuck', says: /Nothing is set aside/ },
  { args: ['inbox', '--all'], code: 0, has: 'stored', says: /^0 rows are stored now$/m },
  {
    args: ['inbox', '--retry', '7'],
    code: 1,
    problem: 'inbox-row-unknown',
    says: /Nothing is set aside under this id/,
  },
  {
    args: ['inbox', '--retry', '7', '--all'],
    code: 2,
    problem: 'command-not-understood',
    says: /name one id, or --all/,
  },
  { args: ['inbox'], code: 1, problem: 'server-not-running', says: /npm start/, alone: true },
  { args: ['keys'], code: 0, has: 'epoch', says: /^epoch +1$/m },
  { args: ['keys', 'rotate'], code: 0, has: 'epoch', says: /^epoch/m },
  {
    args: ['keys', 'shine'],
    code: 2,
    problem: 'command-not-understood',
    says: /not something keys/,
  },
  {
    args: ['keys', 'status'],
    code: 1,
    problem: 'server-not-running',
    says: /npm start/,
    alone: true,
  },
  {
    args: kit('kit-that-is-there'),
    code: 1,
    problem: 'file-not-written',
    says: /is there already/,
  },
  {
    args: [...kit('x'), '--shares', '2', '--threshold', '3'],
    code: 2,
    problem: 'command-not-understood',
    says: /2 ≤ M ≤ N/,
  },
  { args: kit('alone'), code: 1, problem: 'server-not-running', says: /npm start/, alone: true },
  { args: ['service', 'list'], code: 0, has: 'services', says: /clanker +revision 1 in force/ },
  {
    args: ['service', 'remove', 'clanker'],
    code: 2,
    problem: 'command-not-understood',
    says: /cannot be undone/,
  },
  {
    args: ['service', 'remove', 'clanker', '--confirm', 'clonker'],
    code: 1,
    problem: 'removal-not-confirmed',
    says: /another name/,
  },
  {
    args: ['service', 'list'],
    code: 1,
    problem: 'server-not-running',
    says: /npm start/,
    alone: true,
  },
  {
    args: ['prove', '--tenant', 'clanker', '--promise', 'CW-16'],
    code: 0,
    has: 'findings',
    says: /service +kept/,
  },
  { args: ['prove', 'clanker'], code: 2, problem: 'command-not-understood', says: /--tenant/ },
  { args: ['prove'], code: 1, problem: 'server-not-running', says: /npm start/, alone: true },
  { args: ['audit'], code: 2, problem: 'command-not-understood', says: /not something audit/ },
  { args: ['audit', 'health'], code: 0, has: 'failures', says: /every log can be written/ },
  {
    args: ['audit', 'export', '--tenant', 'clanker', '--out', POLICY],
    code: 1,
    problem: 'file-not-written',
    says: /is there already/,
  },
  { args: ['verify'], code: 2, problem: 'command-not-understood', says: /what is to be checked/ },
  {
    args: ['verify', '/nowhere'],
    code: 2,
    problem: 'command-not-understood',
    says: /no such file/,
  },
  { args: ['verify', POLICY], code: 1, has: 'wrong', says: /not something that Troth signed/ },
];

for (const { args, code, has, problem, says, alone } of CASES) {
  const name = `troth ${args.join(' ').replaceAll(folder, '…').replaceAll(ROOT, '.')}`;
  test(`${name}${alone ? ', with no server' : ''}: exit ${code}, in words and as one document`, async () => {
    const dataDir = alone ? nowhere : server.dataDir;
    const words = await troth(args, dataDir);
    assert.equal(words.code, code, words.err);
    assert.match(code === 0 || has ? words.out : words.err, says);
    assert.equal(existsSync(nowhere), false, 'a command makes no directory');

    const data = await troth([...args, '--json'], dataDir);
    assert.deepEqual([data.code, data.err], [code, '']);
    const document = JSON.parse(data.out) as Record<string, unknown>;
    if (has) assert.ok(has in document, data.out.slice(0, 200));
    if (!problem) return;
    assert.equal(document['type'], `/problems/${problem}`);
    assert.ok(document['title'] && document['detail'] && Number(document['status']) >= 400);
  });
}

test('the program says what the commands say, and its exit code is theirs', async () => {
  const yes = await program(['explain', 'CW-11'], { TROTH_DATA_DIR: nowhere });
  assert.deepEqual(
    yes,
    await troth(['explain', 'CW-11'], nowhere).then((said) => ({
      ...said,
      out: `${said.out}\n`,
    })),
  );
  const no = await program(['explain', 'XX-1', '--json'], { TROTH_DATA_DIR: nowhere });
  assert.deepEqual([no.code, JSON.parse(no.out).code], [1, 'promise-not-made']);
});

test('where nothing was started the doctor says so, and what to type', async () => {
  const said = await troth(['doctor'], nowhere);
  assert.equal(said.code, 1);
  assert.match(said.out, /no data directory/);
  assert.match(said.out, /npm start/);
});

test('every command is in the table', () => {
  const named = new Set(CASES.map(({ args }) => args[0]));
  assert.deepEqual(
    Object.keys(COMMANDS).filter((name) => !named.has(name)),
    [],
  );
});

test('a recovery kit is written once, for its owner alone, and leaves no file when it was not made', async () => {
  const { code } = await troth(kit('kit'), server.dataDir);
  assert.equal(code, 0);
  assert.equal(statSync(inFolder('kit')).mode & 0o777, 0o600);
  assert.match(readFileSync(inFolder('kit'), 'utf8'), /^TROTH RECOVERY KIT/);
  assert.equal(existsSync(inFolder('alone')), false);
});

test('with --json the shares of a kit are handed to a program, as many as were asked for', async () => {
  const split = ['keys', 'recovery-kit', '--shares', '5', '--threshold', '3', '--json'];
  const { out } = await troth(split, server.dataDir);
  const { shares, threshold } = JSON.parse(out) as { shares: string[]; threshold: number };
  assert.deepEqual([new Set(shares).size, threshold], [5, 3]);
  const whole = JSON.parse((await troth(['keys', 'recovery-kit', '--json'], server.dataDir)).out);
  assert.deepEqual([whole.shares.length, whole.threshold], [1, 1]);
});

test('a start that is refused is a problem on standard output too', async () => {
  const given = {
    TROTH_DATA_DIR: server.dataDir,
    TROTH_KEYRING_DIR: server.keyringDir,
    TROTH_HTTP_PORT: '0',
    TROTH_HTTPS_PORT: '0',
  };
  const { code, out, err } = await program(['serve', '--json'], given);
  assert.equal(code, 1);
  assert.match(err, /^troth: Another server owns this data directory/);
  assert.equal(JSON.parse(out).type, '/problems/data-directory-in-use');
});

test('a wrong environment is named, variable by variable, also as a document', async () => {
  const given = { TROTH_DATA_DIR: nowhere, TROTH_HTTP_PORT: 'many' };
  const { code, out } = await program(['lint', '--json'], given);
  assert.equal(code, 1);
  assert.match(JSON.parse(out).detail, /^configuration:\n {2}TROTH_HTTP_PORT/);
});

test('an answer that is no problem document is a refusal all the same', async () => {
  const strange = createServer((_, response) => response.writeHead(418).end('short and stout'));
  await new Promise<void>((resolve) => strange.listen(0, '127.0.0.1', resolve));
  const { port } = strange.address() as { port: number };
  const kept = { url: `http://127.0.0.1:${port}`, operatorToken: 'x' };
  writeFileSync(inFolder('development.json'), JSON.stringify(kept));
  const { code, out } = await troth(['keys', '--json'], folder);
  strange.close();
  assert.equal(code, 1);
  assert.equal(JSON.parse(out).type, '/problems/server-answer-unknown');
});
