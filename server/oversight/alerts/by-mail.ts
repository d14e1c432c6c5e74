import type { Mail } from '#platform/mail';
import type { Alert, Channel } from './alert.ts';

const SHOWN_MAX = 20;

function letterOf({ kind, tenant, promises, control, saw, at }: Alert, url: string) {
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
