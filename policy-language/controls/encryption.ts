/** How bytes are protected, on disk and on the wire, and who holds the keys. */
import { z } from 'zod';
import { defineControls } from '#language/control-type';
import { data, Nothing, Settings, setting } from './parameters.ts';

export const encryptionControls = defineControls({
  'encryption.at-rest': {
    area: 'encryption',
    title: 'Personal data is encrypted and authenticated before it reaches a disk.',
    with: Settings,
    probe: 'stored-bytes',
  },
  'encryption.tls': {
    area: 'encryption',
    title: 'Connections below the published version of TLS are refused.',
    with: Settings,
    probe: 'protocol',
  },
  'encryption.forward-secrecy': {
    area: 'encryption',
    title: 'A recorded conversation stays unreadable even if a key is stolen later.',
    with: Settings,
    probe: 'protocol',
  },
  'encryption.client-sealed': {
    area: 'encryption',
    title: 'Sensitive values are sealed on the device; the server refuses them in clear.',
    with: z.strictObject({ data }),
    probe: 'stored-bytes',
  },
  'encryption.outbound': {
    area: 'encryption',
    title: 'The service talks to others over encrypted, verified connections only.',
    with: Nothing,
    probe: 'protocol',
  },
  'encryption.between-services': {
    area: 'encryption',
    title: 'Parts of the service talk to each other over protected channels only.',
    with: Nothing,
    probe: 'protocol',
  },
});

export const keyControls = defineControls({
  'keys.rotate': {
    area: 'keys',
    title: 'Keys are replaced on schedule and nothing stays under a retired key.',
    with: Settings,
    probe: 'stored-bytes',
  },
  'keys.apart': {
    area: 'keys',
    title: 'Keys lie in another place than the data, also in backups.',
    with: z.strictObject({ of: z.enum(['data', 'backups']) }),
    probe: 'stored-bytes',
  },
  'keys.two-wraps': {
    area: 'keys',
    title: 'Nothing in the vault opens without two independent keys.',
    with: Nothing,
    probe: 'stored-bytes',
  },
  'keys.inventory': {
    area: 'keys',
    title: 'Every key has a version, an age and an owner, and every use of it is recorded.',
    with: Settings,
    probe: 'api',
  },
  'keys.secret-versions': {
    area: 'keys',
    title: 'Secrets of the service itself are versioned and can be rolled back.',
    with: Nothing,
    probe: 'api',
  },
});

export const vaultControls = defineControls({
  'vault.sealed': {
    area: 'vault',
    title: 'Credentials of other services are stored sealed and nowhere else.',
    with: z.strictObject({ data, setting: setting.optional() }),
    probe: 'stored-bytes',
  },
  'vault.never-shown': {
    area: 'vault',
    title: 'No one can read a stored credential; it goes only to its own provider.',
    with: z.strictObject({ data }),
    probe: 'api',
  },
  'vault.use-authorised': {
    area: 'vault',
    title: 'A credential is used only in a session, a schedule or an approval of its owner.',
    with: Nothing,
    probe: 'api',
  },
  'vault.purged-at-once': {
    area: 'vault',
    title: 'A removed credential is destroyed at once, with every version of it.',
    with: z.strictObject({ data }),
    probe: 'stored-bytes',
  },
});
