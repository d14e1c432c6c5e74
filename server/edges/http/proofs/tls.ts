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

/** Addresses of this machine as they stand in a URL, which cannot name a link-local one. */
const ownHosts = () =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ address }) => !address.startsWith('fe80:'))
    .map(({ address, family }) => (family === 'IPv6' ? `[${address}]` : address));

/** Whether a door without TLS answers anywhere but where this machine's own programs ask. */
async function otherPlainDoors({ plain, tls, signal }: Look): Promise<boolean> {
  const known = [plain.host, '127.0.0.1'].map((host) => `${host}:${plain.port}`);
  const doors = ownHosts()
    .flatMap((host) => [`${host}:${plain.port}`, `${host}:${tls.port}`])
    .filter((door) => !known.includes(door));
  const answers = await Promise.all(
    doors.map((door) =>
      fetch(`http://${door}/healthz`, { signal }).then(
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
    if (await otherPlainDoors(at)) {
      return broken(saw`a door without TLS is open where TLS is published`);
    }
    return kept(
      saw`handshakes at ${terms(refused)} were refused, at ${terms(spoken)} one succeeded as ${term(newest.protocol)}`,
    );
  },
});
