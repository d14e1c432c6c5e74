/** A sequencer in a process of its own, for tests that kill it. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { systemClock } from '#base/clock';
import { keyIdOf } from '#base/ed25519';
import { Sequencer } from '#core/audit';
import { openDatabase } from '#platform/database';
import { silentLog } from '#platform/log';

export type SequencingOrder = {
  url: string;
  /** PKCS #8, PEM. */
  key: string;
  auditDir: string;
  copyDir: string;
  instance: string;
};

const order = JSON.parse(process.argv[2] ?? '{}') as SequencingOrder;
const key = createPrivateKey(order.key);
const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
const db = await openDatabase({ url: order.url, log: silentLog, connectionsMax: 4 });
const sequencer = new Sequencer({
  db,
  clock: systemClock,
  log: silentLog,
  instance: order.instance,
  auditDir: order.auditDir,
  copyDir: order.copyDir,
  signer: { publicKey, keyId: keyIdOf(publicKey), sign: async (bytes) => sign(null, bytes, key) },
});
await sequencer.start();
process.stdout.write('started\n');
