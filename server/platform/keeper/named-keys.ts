/**
 * Keys with a name: of a data type, of a period, of the vault, of the blind index, of pseudonyms.
 * A version is retired before 2^28 seals; a destroyed name is never made again.
 */
import { randomBytes } from 'node:crypto';
import { keeperProblem } from './errors.ts';
import type { Keks } from './keks.ts';
import { type Keyring, NEW_KEY, needBothCopies } from './keyring.ts';
import { type Ask, type Named, type NamedKey, SEALS_MAX } from './protocol.ts';
import type { Gone } from './subject-keys.ts';

/** The installation's own keys, which sign; no tenant has such a name. They never leave. */
export const SIGNING_TENANT = '@instance';

export const namedAad = (tenant: string, name: string, version: number) =>
  `troth/v1/named|${tenant}|${name}|${version}`;

type Row = {
  version: number;
  class: string;
  keyId: Uint8Array;
  epoch: number;
  wrapped: Uint8Array;
  seals: number;
};

const COLUMNS = 'version, class, key_id as "keyId", epoch, wrapped, seals';

export function checkTenant(tenant: string): void {
  if (tenant === SIGNING_TENANT) {
    throw keeperProblem('keyring-call-invalid', 'a key that signs is not handed out');
  }
}

/** The named keys in one keyring. Every method runs inside `commit`. */
export class NamedKeys {
  readonly #keyring: Keyring;
  readonly #keks: Keks;

  constructor(keyring: Keyring, keks: Keks) {
    this.#keyring = keyring;
    this.#keks = keks;
  }

  #open(tenant: string, name: string, row: Row): NamedKey {
    const aad = namedAad(tenant, name, row.version);
    const key = this.#keks.unwrap({ tenant, purpose: 'live', epoch: row.epoch, aad }, row.wrapped);
    const opened = {
      keyId: Buffer.from(row.keyId).toString('base64'),
      key: key.toString('base64'),
      version: row.version,
    };
    key.fill(0);
    return opened;
  }

  #create(given: Named, version: number, seals: number): NamedKey {
    needBothCopies(this.#keyring, NEW_KEY);
    const { tenant, name } = given;
    const key = randomBytes(32);
    const keyId = randomBytes(8);
    const aad = namedAad(tenant, name, version);
    const wrapped = this.#keks.wrap({ tenant, purpose: 'live', aad }, key);
    this.#keyring.run(
      `insert into named_keys
         (tenant, name, version, class, key_id, epoch, wrapped, seals, destroy_at, created_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[tenant, name, version, given.class, keyId, this.#keks.epoch, wrapped, seals],
      ...[given.destroyAt ?? null, given.at],
    );
    const opened = { keyId: keyId.toString('base64'), key: key.toString('base64'), version };
    key.fill(0);
    return opened;
  }

  #one(given: Named): NamedKey {
    const { tenant, name, lease = 0 } = given;
    checkTenant(tenant);
    const row = this.#keyring.get<Row>(
      `select ${COLUMNS} from named_keys where tenant = ? and name = ?
       order by version desc limit 1`,
      ...[tenant, name],
    );
    if (!row) {
      const gone = this.#keyring.get(
        'select 1 from destroyed_names where tenant = ? and name = ?',
        tenant,
        name,
      );
      if (gone) throw keeperProblem('keyring-call-invalid', 'this key was destroyed for good');
      return this.#create(given, 1, lease);
    }
    if (row.class !== given.class) {
      throw keeperProblem('keyring-call-invalid', 'the key is of another class');
    }
    if (row.seals + lease > SEALS_MAX) return this.#create(given, row.version + 1, lease);
    if (lease > 0) {
      this.#keyring.run(
        'update named_keys set seals = seals + ? where tenant = ? and name = ? and version = ?',
        ...[lease, tenant, name, row.version],
      );
    }
    return this.#open(tenant, name, row);
  }

  named({ keys }: Ask<'named'>): NamedKey[] {
    return keys.map((key) => this.#one(key));
  }

  version({ tenant, name, keyId }: Ask<'namedVersion'>): NamedKey | 'unknown' {
    checkTenant(tenant);
    const row = this.#keyring.get<Row>(
      `select ${COLUMNS} from named_keys where tenant = ? and name = ? and key_id = ?`,
      ...[tenant, name, Buffer.from(keyId, 'base64')],
    );
    return row ? this.#open(tenant, name, row) : 'unknown';
  }

  destroy({ tenant, name }: Ask<'destroyNamed'>, at: number): Gone {
    checkTenant(tenant);
    const rows = this.#keyring.all<{ keyId: Uint8Array; wrapped: Uint8Array }>(
      'select key_id as "keyId", wrapped from named_keys where tenant = ? and name = ?',
      ...[tenant, name],
    );
    this.#keyring.destroyed(rows.map(({ wrapped }) => wrapped));
    this.#keyring.run('delete from named_keys where tenant = ? and name = ?', tenant, name);
    this.#keyring.run(
      'insert or ignore into destroyed_names (tenant, name, destroyed_at) values (?, ?, ?)',
      ...[tenant, name, at],
    );
    const keyIds = rows.map(({ keyId }) => Buffer.from(keyId).toString('base64'));
    return { subjects: [], keyIds, evict: { tenant, subjects: [], names: [name] } };
  }

  due(at: number): { tenant: string; name: string }[] {
    return this.#keyring.all(
      `select distinct tenant, name from named_keys
       where destroy_at is not null and destroy_at <= ? limit 1000`,
      at,
    );
  }
}
