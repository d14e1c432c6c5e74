import { networkInterfaces } from 'node:os';
import type { SecureVersion } from 'node:tls';
import { type Look, valueAt } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term, terms } from '#core/promises';
import { only, shake } from './handshake.ts';

const VERSIONS: readonly (readonly [text: string, version: SecureVersion])[] = [
  ['1.0', 'TLSv1'],
  ['1.1', 'TLSv1.1'],
  ['1.2', 'TLSv1.2'],
  ['1.3', 'TLSv1.3'],
];

/** Whether the door without TLS answers at an address that other machines can reach. */
async function plainDoorsOutside({ plain, signal }: Look): Promise<boolean> {
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4');
  const answers = await Promise.all(
    outside.map(({ address }) =>
      fetch(`http://${address}:${plain.port}/healthz`, { signal }).then(
        () => true,
        () => false,
      ),
    ),
  );
  return answers.includes(true);
}

export const tls = defineProof({
  control: 'encryption.tls',
  strength: 'protocol',
  blindTo: 'What stands in front of this server, such as a load balancer of the operator.',
  async prove(at, { setting }) {
    const least = VERSIONS.findIndex(([text]) => text === valueAt(at.policy, String(setting)));
    if (least < 0) return gap(saw`the policy publishes no version of TLS there`);
    const newest = await shake(at, only('TLSv1.3'));
    if (!newest) return gap(saw`the TLS door did not answer at 1.3 either`);
    const spoken: string[] = [];
    const refused: string[] = [];
    for (const [text, version] of VERSIONS) {
      const shaken = await shake(at, only(version));
      (shaken ? spoken : refused).push(text);
    }
    const older = spoken.filter((text) => VERSIONS.findIndex(([name]) => name === text) < least);
    if (older.length > 0) return broken(saw`the door also speaks TLS ${terms(older)}`);
    if (await plainDoorsOutside(at)) {
      return broken(saw`the door without TLS is open to other machines`);
    }
    return kept(
      saw`handshakes at ${terms(refused)} were refused, at ${terms(spoken)} one succeeded as ${term(newest.protocol)}`,
    );
  },
});
