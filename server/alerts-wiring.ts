/** The ways to reach the operator that are configured. */
import { readFileSync } from 'node:fs';
import type { Clock } from '#base/clock';
import { type Channel, mailChannel, webhookChannel } from '#oversight/alerts';
import { openMail } from '#platform/mail';
import type { Config } from './config.ts';

type Given = { readonly config: Config; readonly clock: Clock };

/** Opens the channels; none where nothing is configured. @throws Error for an unreadable secret. */
export function openChannels(
  stack: AsyncDisposableStack,
  { config, clock }: Given,
): readonly Channel[] {
  const { alerts, httpPort, publicUrl } = config;
  const console = publicUrl ?? `http://localhost:${httpPort}`;
  const channels: Channel[] = [];
  if (alerts.webhookUrl) {
    const secret = alerts.webhookSecretFile
      ? readFileSync(alerts.webhookSecretFile, 'utf8').trim()
      : undefined;
    channels.push(
      webhookChannel({
        url: alerts.webhookUrl,
        secret,
        console: publicUrl,
        now: () => clock.now(),
      }),
    );
  }
  if (alerts.mailTo && alerts.smtpUrl) {
    const mail = openMail({ url: alerts.smtpUrl, from: alerts.mailFrom });
    stack.defer(() => mail.close());
    channels.push(mailChannel(mail, { to: alerts.mailTo, url: console }));
  }
  return channels;
}

/** The way to a proof that listens on this machine: the webhook's own, to another address. */
export const wayToProof =
  (clock: Clock) =>
  (port: number): Channel =>
    webhookChannel({
      url: `http://127.0.0.1:${port}/`,
      secret: undefined,
      now: () => clock.now(),
    });
