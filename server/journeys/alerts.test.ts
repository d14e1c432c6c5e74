/**
 * A promise breaks on a running server, and holds again: the operator hears of both by mail and by
 * webhook, also when the receiver was down; the log, the figures and the doctor say it too.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Edit, useProven } from '#testing/proven';
import { type Got, openPostOffice, openReceiver } from '#testing/receivers';

const proven = useProven();
const folder = mkdtempSync(join(tmpdir(), 'troth-alerts-'));
const secret = Buffer.alloc(32, 7);
const wanted = { tenant: 'clanker', control: 'ingest.declared-fields-only' };
const SABOTAGE: Edit = [
  'domains/ingest/check-schema.ts',
  '  const event = makeEvent({\n    index,\n    kind,\n    name,',
  '  const event = makeEvent({\n    index,\n    kind,\n    name: name + JSON.stringify(properties),',
];

let office: Awaited<ReturnType<typeof openPostOffice>>;
let receiver: Awaited<ReturnType<typeof openReceiver>>;
let env: Record<string, string>;

before(async () => {
  office = await openPostOffice();
  // Its port is known, and nobody listens there yet.
  receiver = await openReceiver({});
  receiver.close();
  const file = join(folder, 'secret');
  writeFileSync(file, `whsec_${secret.toString('base64')}\n`);
  env = {
    TROTH_ALERT_WEBHOOK_URL: receiver.url,
    TROTH_ALERT_WEBHOOK_SECRET_FILE: file,
    TROTH_ALERT_MAIL_TO: 'operator@example.org',
    TROTH_SMTP_URL: office.url,
    TROTH_PUBLIC_URL: 'https://troth.example.org/',
  };
});
after(() => {
  office?.close();
  receiver?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function within(seconds: number, what: string, is: () => boolean): Promise<void> {
  for (const end = Date.now() + seconds * 1_000; !is(); await sleep(100)) {
    assert.ok(Date.now() < end, `not within ${seconds} s: ${what}`);
  }
}

async function asOperator(path: string): Promise<string> {
  const { url, operatorToken } = proven.server;
  const cookie = `troth_operator=${operatorToken}`;
  return (await fetch(new URL(path, url), { headers: { cookie } })).text();
}

function checked({ headers, body }: Got): { type: string; data: Record<string, unknown> } {
  const content = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  const mac = createHmac('sha256', secret).update(content).digest('base64');
  assert.equal(headers['webhook-signature'], `v1,${mac}`);
  return JSON.parse(body) as { type: string; data: Record<string, unknown> };
}

test('a promise that breaks reaches the operator once, by every way there is', async () => {
  await proven.restart([SABOTAGE], env);
  const findings = await proven.prove(wanted);
  assert.ok(findings.length > 0 && findings.every(({ state }) => state === 'broken'));
  await within(20, 'the letters', () => office.letters.length === findings.length);
  await proven.prove(wanted);
  assert.match(office.letters[0] ?? '', /Subject: clanker: CW-\d+.* is broken/);
  const letter = (office.letters[0] ?? '').replaceAll('=\n', '');
  assert.match(letter, /\nhttps:\/\/troth\.example\.org\/services\/clanker\n/);
  assert.doesNotMatch(letter, /http:\/\/localhost/);
  assert.match(proven.server.operatorLink, /^https:\/\/troth\.example\.org\/operator\?token=/);
  assert.match(await asOperator('/metrics'), /troth_promise_broken\{.*service="clanker".*\} 1/);
  assert.match(await asOperator('/v1/operator/doctor'), /of clanker is broken/);
  const log = readFileSync(join(proven.dataDir, 'log', 'troth.jsonl'), 'utf8');
  assert.match(log, /"event":"promise.broken","tenant":"clanker"/);
  await sleep(1_000);
  assert.equal(office.letters.length, findings.length, 'what is broken still is told once');
});

test('a receiver that was down gets it when it is back, also over a restart', async () => {
  await proven.restart([SABOTAGE], env);
  receiver = await openReceiver({ port: receiver.port });
  await within(60, 'the webhook', () => receiver.got.length > 0);
  const { type, data } = checked(receiver.got[0] as Got);
  assert.deepEqual(
    [type, data['tenant'], data['control']],
    ['promise.broken', 'clanker', 'ingest.declared-fields-only'],
  );
  assert.equal(data['link'], 'https://troth.example.org/services/clanker');
});

test('when it holds again the same people are told, and no figure says otherwise', async () => {
  await proven.restart([], env);
  const findings = await proven.prove(wanted);
  assert.ok(findings.every(({ state }) => state === 'kept'));
  const restored = () =>
    receiver.got.map(checked).filter(({ type }) => type === 'promise.restored');
  await within(20, 'the webhook', () => restored().length > 0);
  const again = () => office.letters.filter((text) => /Subject: .* holds again/.test(text));
  await within(20, 'the letters', () => again().length === findings.length);
  assert.doesNotMatch(await asOperator('/metrics'), /troth_promise_broken\{.*service="clanker"/);
  assert.doesNotMatch(await asOperator('/v1/operator/doctor'), /of clanker is broken/);
});
