import { request } from 'node:https';
import { type Look, shownAt, valueAt } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term } from '#core/promises';

type Answer = { readonly status: number; readonly text: string };

/** Asks this server, over TLS, as whoever follows the published address would. */
const askAt = ({ tls, signal }: Look, hostname: string, path: string) =>
  new Promise<Answer>((resolve, reject) => {
    const { host, port, authority } = tls;
    const asked = request(
      { host, port, path, signal, ca: authority, servername: host, headers: { host: hostname } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text }));
        answer.once('error', reject);
      },
    );
    asked.once('error', reject);
    asked.end();
  });

export const currentAtAddress = defineProof({
  control: 'changes.current-at-address',
  strength: 'protocol',
  blindTo: 'Where the published name leads in the DNS: this server is asked for it directly.',
  async prove(at, { setting }) {
    const address = valueAt(at.policy, String(setting));
    if (typeof address !== 'string') return gap(saw`the policy publishes no address`);
    const { hostname, pathname } = new URL(`https://${address.replace(/^https?:\/\//, '')}`);
    const { status, text } = await askAt(at, hostname, pathname);
    if (status !== 200) return broken(saw`${term(address)} is answered ${status}`);
    const [row] = await at.sql<{ hash: string }[]>`
      select hash from troth.policies where tenant = ${at.tenant} and in_force`;
    const [printed] = shownAt(text, 'page.hash');
    if (printed === undefined || printed !== row?.hash)
      return broken(saw`${term(address)} shows another revision than the one in force`);
    const other = await askAt(at, `not-${hostname}`, pathname);
    if (other.status === 200)
      return gap(saw`the server answers to any name, so this one says nothing`);
    return kept(
      saw`asked as ${term(address)}, the server shows the revision in force, by its hash`,
    );
  },
});
