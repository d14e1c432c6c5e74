import { constants } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { valueAt } from '#core/looking';
import { broken, defineProof, gap, kept, saw, terms } from '#core/promises';
import { only, shake } from './handshake.ts';

/** What a client offers who would take a key that is not ephemeral. */
const STATIC: ConnectionOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
  ciphers: 'kRSA:PSK:@SECLEVEL=0',
  // Whoever agrees to such a key is found out, whatever the certificate says.
  rejectUnauthorized: false,
};

const GROUPS = ['X25519', 'P-256', 'P-384'] as const;

export const forwardSecrecy = defineProof({
  control: 'encryption.forward-secrecy',
  strength: 'protocol',
  blindTo: 'How long each side keeps the keys of a conversation in memory.',
  async prove(at, { setting }) {
    if (setting !== 'security.forward-secrecy' || valueAt(at.policy, setting) !== true) {
      return gap(saw`the policy does not publish forward secrecy there`);
    }
    const first = await shake(at, {});
    if (!first?.session) return gap(saw`the TLS door did not answer, or gave no session to resume`);
    const seen = [first];
    for (const group of GROUPS) {
      const shaken = await shake(at, { ...only('TLSv1.3'), ecdhCurve: group });
      if (shaken) seen.push(shaken);
    }
    // A client that would also take a resumed conversation without a new key exchange.
    const lazy = { session: first.session, secureOptions: constants.SSL_OP_ALLOW_NO_DHE_KEX };
    const resumed = await shake(at, lazy);
    if (!resumed?.resumed) return gap(saw`a conversation could not be resumed`);
    seen.push(resumed);
    const without = seen.filter(({ group }) => group === '').length;
    if (without > 0) return broken(saw`${without} of ${seen.length} had no ephemeral key`);
    if (await shake(at, STATIC)) return broken(saw`the door also agreed to a key that lasts`);
    const groups = [...new Set(seen.map(({ group }) => group))];
    return kept(
      saw`${seen.length} of ${seen.length} handshakes had an ephemeral key (${terms(groups)}), one of them a resumed conversation; suites without one were refused`,
    );
  },
});
