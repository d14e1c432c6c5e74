import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { Problem } from '#base/problem';
import { openMail } from '#platform/mail';
import { openPostOffice, openReceiver } from '#testing/receivers';
import type { Alert } from './alert.ts';
import { mailChannel } from './by-mail.ts';
import { signedHeaders, webhookChannel } from './by-webhook.ts';

const ALERT: Alert = {
  kind: 'promise.broken',
  tenant: 'clanker',
  promises: ['CW-04', 'CW-16'],
  control: 'ingest.declared-fields-only',
  saw: 'an undeclared field was stored in agent-commands',
  at: '2026-03-02T12:00:00.000Z',
};

/** The published example of Standard Webhooks: the same secret, id, time and body. */
test('a webhook is signed as Standard Webhooks signs its example', () => {
  const headers = signedHeaders(
    {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      body: '{"test": 2432232314}',
      at: new Date(1_614_265_330_000),
    },
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  );
  assert.equal(headers['webhook-timestamp'], '1614265330');
  assert.equal(headers['webhook-signature'], 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('a receiver gets the alert with a signature that it can check, and no more than the alert', async () => {
  const { got, url, close } = await openReceiver({});
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  await webhookChannel({ url, secret, now: () => new Date() }).send(ALERT, 'msg_1');
  close();
  const [first] = got;
  assert.ok(first);
  const { headers, body } = first;
  const content = `msg_1.${String(headers['webhook-timestamp'])}.${body}`;
  const mac = createHmac('sha256', Buffer.alloc(32, 7)).update(content).digest('base64');
  assert.equal(headers['webhook-signature'], `v1,${mac}`);
  const { kind, at, ...data } = ALERT;
  assert.deepEqual(JSON.parse(body), { type: kind, timestamp: at, data });
  assert.ok(!body.includes('localhost'));
});

test('an alert that the receiver refuses or sends elsewhere is not taken, and is tried again', async () => {
  const { url, close } = await openReceiver({ statuses: [500, 302, 410] });
  const channel = webhookChannel({ url, secret: undefined, now: () => new Date() });
  for (let attempt = 0; attempt < 3; attempt++) {
    await assert.rejects(
      channel.send(ALERT, 'msg_1'),
      (error) => error instanceof Problem && error.code === 'alert-not-taken',
    );
  }
  close();
});

test('a webhook carries a link to the address that the operator gave', async () => {
  const { got, url, close } = await openReceiver({});
  const console = 'https://troth.example.org';
  await webhookChannel({ url, secret: undefined, console, now: () => new Date() }).send(ALERT, 'm');
  close();
  const { data } = JSON.parse(got[0]?.body ?? '{}') as { data: { link: string } };
  assert.equal(data.link, 'https://troth.example.org/services/clanker');
});

test('a letter names the promises, what was seen and where to look', async () => {
  const { letters, url, close } = await openPostOffice();
  const mail = openMail({ url, from: 'troth@example.org' });
  const place = { to: 'operator@example.org', url: 'http://localhost:8787' };
  await mailChannel(mail, place).send(ALERT, 'msg_1');
  mail.close();
  close();
  assert.match(letters[0] ?? '', /Subject: clanker: CW-04 and 1 more is broken/);
  assert.match(letters[0] ?? '', /It saw: an undeclared field was stored in agent-commands/);
  assert.match(letters[0] ?? '', /http:\/\/localhost:8787\/services\/clanker/);
});

test('a letter about late demands says how many there are and when the first is due', async () => {
  const { letters, url, close } = await openPostOffice();
  const mail = openMail({ url, from: 'troth@localhost' });
  const place = { to: 'operator@localhost', url: 'http://localhost:8787' };
  const [dueAt, at] = ['2026-04-01T12:00:00.000Z', '2026-03-29T12:00:00.000Z'];
  const alert = { kind: 'demand.late', tenant: 'magenta', demands: 3, dueAt, at } as const;
  await mailChannel(mail, place).send(alert, 'msg_2');
  mail.close();
  close();
  assert.match(letters[0] ?? '', /Subject: magenta: 3 demands/);
  assert.match(letters[0] ?? '', /due at 2026-04-01/);
});

test('what a mail server answers goes no further than that it took no letter', async () => {
  const { url, close } = await openPostOffice({ refuses: true });
  const mail = openMail({ url, from: 'troth@example.org' });
  await assert.rejects(
    mail.send({ to: 'nobody@here.example', subject: 's', text: 't', id: 'i' }),
    (error) =>
      error instanceof Problem &&
      error.code === 'mail-not-taken' &&
      !error.detail.includes('nobody@'),
  );
  mail.close();
  close();
});
