import type { Mail } from '#platform/mail';
import type { Alert, Channel } from './alert.ts';

const SHOWN_MAX = 20;

type Letter = { readonly subject: string; readonly text: string };

function demandLetter(
  { tenant, demands, dueAt }: Alert & { kind: 'demand.late' },
  url: string,
): Letter {
  return {
    subject: `${tenant}: ${demands} demands for erasure come near the end of their time`,
    text: [
      `${demands} demands for erasure of ${tenant} are not finished.`,
      `The first is due at ${dueAt}.`,
      '',
      'For each the list says what it waits for:',
      `${url}/services/${tenant}/erasures`,
    ].join('\n'),
  };
}

function letterOf(alert: Alert, url: string): Letter {
  if (alert.kind === 'demand.late') return demandLetter(alert, url);
  const { kind, tenant, promises, control, saw, at } = alert;
  const [first = ''] = promises;
  const more = promises.length > 1 ? ` and ${promises.length - 1} more` : '';
  const what = kind === 'promise.broken' ? 'is broken' : 'holds again';
  return {
    subject: `${tenant}: ${first}${more} ${what}`,
    text: [
      `${promises.slice(0, SHOWN_MAX).join(', ')}${promises.length > SHOWN_MAX ? ' …' : ''}`,
      `of ${tenant} ${what}, as a proof of ${control} found at ${at}.`,
      '',
      `It saw: ${saw}`,
      '',
      `${url}/services/${tenant}`,
    ].join('\n'),
  };
}

/** @param given.url  where the operator finds the console. */
export const mailChannel = (mail: Mail, { to, url }: { to: string; url: string }): Channel => ({
  name: 'mail',
  send: (alert, id) => mail.send({ to, id, ...letterOf(alert, url) }),
});
