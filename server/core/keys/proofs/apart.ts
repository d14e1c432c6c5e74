import { realpathSync } from 'node:fs';
import { sep } from 'node:path';
import { type Look, personalRow, type StoredRow } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term, terms } from '#core/promises';
import { readKeyring, rootFiles } from './keyring-file.ts';
import { rawKeyOf } from './sealed-canaries.ts';

const NAMED_KEYS = 24;
const SEARCHES = 3;
const ENGINES: ReadonlySet<string> = new Set(['postgresql', 'clickhouse']);

/** As each might be written down. */
const writings = (key: Uint8Array): Buffer[] => {
  const bytes = Buffer.from(key);
  return [bytes, Buffer.from(bytes.toString('base64')), Buffer.from(bytes.toString('hex'))];
};

/** Everything of the keyring that opens something, from the root down to a canary's own key. */
async function keyMaterial(at: Look, row: StoredRow): Promise<Buffer[]> {
  const { folders, tenant } = at;
  const subject = Buffer.from(row.subject, 'hex');
  const wrapped = await readKeyring(folders.keyring, ({ all }) => [
    ...all<{ wrapped: Uint8Array }>('select wrapped from keks where tenant = ?', tenant),
    ...all<{ wrapped: Uint8Array }>(
      'select wrapped from subject_keys where tenant = ? and subject = ?',
      ...[tenant, subject],
    ),
    ...all<{ wrapped: Uint8Array }>(
      `select wrapped from named_keys where tenant = ? limit ${NAMED_KEYS}`,
      tenant,
    ),
  ]);
  const roots = rootFiles(folders.keyring).map(({ key }) => Buffer.from(key, 'base64'));
  const opened = await rawKeyOf(at, row);
  if (!opened || roots.length === 0 || wrapped.length < 2) return [];
  return [...roots, opened, ...wrapped.map((row) => Buffer.from(row.wrapped))];
}

/** Looks for keys in the data, again while the canary itself is not seen there. */
async function search(at: Look, control: Uint8Array, keys: readonly Uint8Array[]) {
  for (let attempt = 1; ; attempt++) {
    const { stores } = await at.bytes([control, ...keys]);
    const sees = stores.every(
      ({ store, whole, counts: [seen = 0] }) => !ENGINES.has(store) || (whole && seen > 0),
    );
    const holding = stores.filter(({ counts: [, ...found] }) => found.some((count) => count > 0));
    if (sees || holding.length > 0 || attempt === SEARCHES) return { stores, sees, holding };
  }
}

const isWithin = (inner: string, outer: string) => inner === outer || inner.startsWith(outer + sep);

export const apart = defineProof({
  control: 'keys.apart',
  strength: 'stored-bytes',
  blindTo:
    'Backups, since this version makes none; the key of the TLS door, which opens no data, lies with the data.',
  async prove(at, { of }) {
    const { keyring, keyringCopy, data } = at.folders;
    const beside = realpathSync(data);
    for (const keys of [keyring, keyringCopy ?? []].flat().map((path) => realpathSync(path))) {
      if (isWithin(keys, beside) || isWithin(beside, keys))
        return broken(saw`keys and data lie in one folder`);
    }
    // It names its person by the opaque id, whose bytes lie in both engines.
    const canary = await personalRow(at);
    if (!canary) return gap(saw`a canary was not read back`);
    const { row } = canary;
    const material = await keyMaterial(at, row);
    if (material.length === 0) return gap(saw`the keyring's own bytes could not be read`);
    const control = Buffer.from(row.subject, 'hex');
    const { stores, sees, holding } = await search(at, control, material.flatMap(writings));
    if (holding.length > 0) {
      const where = terms(holding.map(({ store }) => store));
      return broken(saw`key material lies with the data: ${where}`);
    }
    if (!sees || stores.some(({ store, whole }) => store === 'elsewhere' && !whole)) {
      return gap(saw`the canary's own bytes were not found with the data`);
    }
    if (of !== 'data') {
      return gap(saw`no ${term(String(of))} have been made that could be looked at`);
    }
    const files = stores.reduce((sum, one) => sum + one.files, 0);
    return kept(
      saw`the keyring is a folder of its own; none of ${material.length} keys of it, opened or wrapped, is in the ${files} files of the data, where the canary is`,
    );
  },
});
