/**
 * The first minutes of an installation: what the start says of keys that could be lost, the link
 * that makes its reader the operator, and a new one for who lost it.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const MAIN = join(import.meta.dirname, '..', 'main.ts');
const folder = mkdtempSync(join(tmpdir(), 'troth-first-'));
const env = {
  ...process.env,
  TROTH_HTTP_PORT: '0',
  TROTH_HTTPS_PORT: '0',
  TROTH_PROVE_EVERY: 'off',
  TROTH_DATA_DIR: join(folder, 'data'),
  TROTH_POLICIES_DIR: join(folder, 'policies'),
};
let server: ChildProcess | undefined;

async function stop(): Promise<void> {
  if (!server || server.exitCode !== null) return;
  const exited = once(server, 'exit');
  server.kill('SIGTERM');
  await exited;
}
after(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the server as a person does, and returns what it said when it stood. */
async function start(more: Record<string, string> = {}): Promise<string> {
  await stop();
  const child = spawn(process.execPath, [MAIN, 'serve'], { env: { ...env, ...more } });
  server = child;
  let said = '';
  child.stderr?.on('data', (text: Buffer) => {
    said += text;
  });
  for await (const text of child.stdout ?? []) {
    said += String(text);
    if (said.includes('Ctrl-C stops everything')) break;
  }
  assert.match(said, /Troth is ready/);
  return said;
}

const troth = (...words: string[]) =>
  new Promise<{ status: number; said: string }>((resolve) => {
    execFile(process.execPath, [MAIN, ...words], { env }, (error, out, complaints) =>
      resolve({ status: Number(error?.code ?? 0), said: out + complaints }),
    );
  });

async function open(link: string): Promise<{ status: number; cookie: string | undefined }> {
  const answer = await fetch(link, { redirect: 'manual' });
  await answer.body?.cancel();
  return { status: answer.status, cookie: answer.headers.getSetCookie()[0] };
}

const linkIn = (text: string) => /http:\/\/localhost:\d+\/operator\?token=[\w-]+/.exec(text)?.[0];

test('the first start says loudly that the keys could be lost, and what to type', async () => {
  const who = ['--service', 'acme', '--name', 'Acme Ltd', '--email', 'privacy@acme.example'];
  assert.equal((await troth('init', ...who)).status, 0);
  const said = await start();
  assert.match(said, /▲ The keys could be lost/);
  assert.match(said, /one copy of the keyring only/);
  assert.match(said, /TROTH_KEYRING_COPY_DIR=/);
  const [, command = ''] = /npm run troth -- (keys recovery-kit --out \S+)/.exec(said) ?? [];
  const kit = join(folder, 'kit.txt');
  const made = await troth(...command.split(' ').slice(0, -1), kit);
  assert.equal(made.status, 0, made.said);
  assert.equal(statSync(kit).mode & 0o777, 0o600);
});

test('the link makes one reader the operator, once, and lies in a file for its owner alone', async () => {
  const file = join(env.TROTH_DATA_DIR, 'development.json');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const { operatorLink } = JSON.parse(readFileSync(file, 'utf8')) as { operatorLink: string };
  const first = await open(operatorLink);
  assert.match(first.cookie ?? '', /troth_operator=.*HttpOnly.*SameSite=Strict/i);
  const second = await open(operatorLink);
  assert.ok(second.status >= 400 && second.cookie === undefined, String(second.status));
});

test('whoever lost the link makes a new one from the machine, and it works once', async () => {
  const { status, said } = await troth('operator', 'link');
  assert.equal(status, 0, said);
  assert.match(said, /once, within 7 days/);
  const link = linkIn(said) ?? '';
  assert.ok((await open(link)).cookie);
  assert.equal((await open(link)).cookie, undefined);
});

test('a start gives a new link too, and what was mended is said no more', async () => {
  const said = await start({ TROTH_KEYRING_COPY_DIR: join(folder, 'copy') });
  assert.doesNotMatch(said, /one copy of the keyring|no recovery kit|recovery-kit/);
  assert.ok((await open(linkIn(said) ?? '')).cookie);
});
