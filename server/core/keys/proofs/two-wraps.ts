import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw } from '#core/promises';
import { type KeyringFile, readKeyring, rootFiles } from './keyring-file.ts';
import { type Kek, openKek, unwrapped } from './unwrapped.ts';

/** The one key of the vault that proofs ask for; it seals nothing. */
const NAME = 'canary';

type Row = { readonly version: number; readonly wrapped: Uint8Array };

const stored = ({ get, all }: KeyringFile, tenant: string) => ({
  row: get<Row>(
    'select version, wrapped from named_keys where tenant = ? and name = ? order by version desc',
    ...[tenant, `vault/${NAME}`],
  ),
  keks: all<Kek>("select tenant, epoch, wrapped from keks where purpose = 'live' order by epoch"),
  keys: all<{ bound: string; wrapped: Uint8Array }>(
    `select 'troth/v1/named|' || tenant || '|' || name || '|' || version as bound, wrapped
     from named_keys where tenant = ?
     union all
     select 'troth/v1/dek|' || tenant || '|' || lower(hex(subject)) || '|' || n, wrapped
     from (select * from subject_keys where tenant = ? order by created_at desc limit 1000)`,
    ...[tenant, tenant],
  ),
});

export const twoWraps = defineProof({
  control: 'keys.two-wraps',
  strength: 'stored-bytes',
  blindTo:
    'Credentials, as long as none is kept: what was looked at is the key that would seal them.',
  async prove(at: Look) {
    const { tenant, keys, keeper, folders, canaries } = at;
    const root = rootFiles(folders.keyring).find(({ wrap }) => wrap === 'file');
    if (!root) return gap(saw`the root key is sealed with a passphrase and cannot be looked at`);
    await keys.vault(tenant, NAME);
    await canaries.agreeing();
    const held = await readKeyring(folders.keyring, (file) => stored(file, tenant));
    const rootKey = Buffer.from(root.key, 'base64');
    const keks = held.keks.map((kek) => ({ ...kek, key: openKek(rootKey, kek) }));
    const own = keks.findLast((kek) => kek.tenant === tenant)?.key;
    if (!held.row || !own) return gap(saw`the vault's key was not found in the keyring`);
    const single = held.keys.filter(({ bound, wrapped }) =>
      unwrapped(rootKey, wrapped, bound),
    ).length;
    if (single > 0)
      return broken(saw`${single} of ${held.keys.length} keys open with the root alone`);
    const { version, wrapped } = held.row;
    const bound = `troth/v1/named|${tenant}|vault/${NAME}|${version}`;
    const others = keks.filter((kek) => kek.tenant !== tenant && kek.key);
    if (others.some(({ key }) => key && unwrapped(key, wrapped, bound))) {
      return broken(saw`the vault's key opens with a key of another service`);
    }
    const time = (await at.now()).getTime();
    const asked = { tenant, name: `vault/${NAME}`, class: 'vault' as const, at: time };
    const [given] = await keeper.call('named', { keys: [asked] });
    const mine = unwrapped(own, wrapped, bound);
    if (!mine || mine.toString('base64') !== given?.key) {
      return gap(saw`the vault's key did not open with root and service key either`);
    }
    return kept(
      saw`the vault's key opened with the root key and the service's key together; not with the root alone, nor with the keys of ${others.length} other services; ${held.keys.length} of ${held.keys.length} keys of the service are wrapped twice`,
    );
  },
});
