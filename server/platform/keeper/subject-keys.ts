/** People's keys: made, opened, linked, hidden and destroyed. */
import { randomBytes } from 'node:crypto';
import type { Keks } from './keks.ts';
import { type Keyring, NEW_KEY, needBothCopies } from './keyring.ts';
import type { Ask, Destroyed, Evict, Missing, OpenedKey } from './protocol.ts';

/** A person's devices and accounts; more than this many links is a mistake or an attack. */
/** Who stands behind a link: nobody; a server; a server that says they are names of one person. */
const VOUCHED = { claimed: 0, told: 1, same: 2 } as const;
const LINKS_MAX = 1_000;
/** Of them so many by claims alone: a stranger's must not crowd out a person's own devices. */
const CLAIMS_MAX = 500;

export const subjectAad = (tenant: string, subject: string, n: number) =>
  `troth/v1/dek|${tenant}|${subject}|${n}`;

type Row = {
  subject: Uint8Array;
  n: number;
  keyId: Uint8Array;
  epoch: number;
  wrapped: Uint8Array;
  destroyAt: number | null;
};

const KEY = `k.n, k.key_id as "keyId", k.epoch, k.wrapped, k.destroy_at as "destroyAt"`;
const BY_HANDLE = `
  select h.subject, ${KEY}
  from handles h join subject_keys k on k.tenant = h.tenant and k.subject = h.subject
  where h.tenant = ? and h.handle = ?
  order by k.n desc limit 1`;
const BY_SUBJECT = `
  select k.subject, ${KEY} from subject_keys k
  where k.tenant = ? and k.subject = ?
  order by k.n desc limit 1`;

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

export type Gone = Omit<Destroyed, 'acknowledged' | 'cutOff'> & { evict: Evict };

/** People's keys in one keyring. Every method runs inside `commit`. */
export class SubjectKeys {
  readonly #keyring: Keyring;
  readonly #keks: Keks;

  constructor(keyring: Keyring, keks: Keks) {
    this.#keyring = keyring;
    this.#keks = keks;
  }

  #open(tenant: string, row: Row): OpenedKey | Missing {
    if (row.destroyAt !== null) return 'hidden';
    const subject = hex(row.subject);
    const aad = subjectAad(tenant, subject, row.n);
    const key = this.#keks.unwrap({ tenant, purpose: 'live', epoch: row.epoch, aad }, row.wrapped);
    const opened = { subject, keyId: base64(row.keyId), key: key.toString('base64') };
    key.fill(0);
    return { ...opened, created: false };
  }

  #create(tenant: string, handle: Buffer, at: number): OpenedKey {
    needBothCopies(this.#keyring, NEW_KEY);
    const id = randomBytes(16);
    const subject = id.toString('hex');
    // Random, never derived: what can be derived again cannot be destroyed.
    const key = randomBytes(32);
    const keyId = randomBytes(8);
    const wrapped = this.#keks.wrap(
      { tenant, purpose: 'live', aad: subjectAad(tenant, subject, 1) },
      key,
    );
    this.#keyring.run(
      `insert into subject_keys (tenant, subject, n, handle, key_id, epoch, wrapped, created_at)
       values (?, ?, 1, ?, ?, ?, ?, ?)`,
      ...[tenant, id, handle, keyId, this.#keks.epoch, wrapped, at],
    );
    this.#keyring.run(
      'insert into handles (tenant, handle, subject) values (?, ?, ?)',
      tenant,
      handle,
      id,
    );
    const opened = { subject, keyId: keyId.toString('base64'), key: key.toString('base64') };
    key.fill(0);
    return { ...opened, created: true };
  }

  #one(tenant: string, handle: Buffer, mayCreate: boolean, at: number) {
    const row = this.#keyring.get<Row>(BY_HANDLE, tenant, handle);
    if (row) return this.#open(tenant, row);
    const stone = this.#keyring.get<{ until: number }>(
      'select until from tombstones where tenant = ? and handle = ?',
      ...[tenant, handle],
    );
    if (stone && stone.until > at) return 'erased';
    if (!mayCreate) return 'unknown';
    // The late window is over: who returns is a new person to us.
    if (stone) {
      this.#keyring.run('delete from tombstones where tenant = ? and handle = ?', tenant, handle);
    }
    return this.#create(tenant, handle, at);
  }

  /**
   * The subjects that were identified as this one, directly or through another; not the others that
   * they were identified as, for two people may have used one device. Two names of one person count
   * both ways, unless one of them was said to be several people's.
   */
  cluster(tenant: string, subject: string): string[] {
    const found = new Set([subject]);
    for (const next of found) {
      if (found.size > LINKS_MAX) break;
      const sources = this.#keyring.all<{ source: Uint8Array }>(
        `select source from links where tenant = ? and towards = ?
         order by vouched desc, linked_at limit 1000`,
        ...[tenant, Buffer.from(next, 'hex')],
      );
      for (const { source } of sources) found.add(hex(source));
      const alias = this.#aliasOf(tenant, next);
      if (alias) found.add(alias);
    }
    return [...found];
  }

  /** The other name that this one became, where there is just one. */
  #aliasOf(tenant: string, subject: string): string | undefined {
    const [one, another] = this.#keyring.all<{ towards: Uint8Array }>(
      'select towards from links where tenant = ? and source = ? and vouched = ? limit 2',
      ...[tenant, Buffer.from(subject, 'hex'), VOUCHED.same],
    );
    return one && !another ? hex(one.towards) : undefined;
  }

  #mayClaim(tenant: string, towards: Buffer, source: Buffer): boolean {
    const anothers = this.#keyring.get(
      'select 1 from links where tenant = ? and source = ? and towards <> ? limit 1',
      ...[tenant, source, towards],
    );
    const [claims] = this.#keyring.all<{ claims: number }>(
      `select count(*) as claims from links
       where tenant = ? and towards = ? and vouched = 0 and source <> ?`,
      ...[tenant, towards, source],
    );
    return anothers === undefined && (claims?.claims ?? 0) < CLAIMS_MAX;
  }

  forget(tenant: string, subjects: string[], lateUntil: number): Gone {
    const keyIds: string[] = [];
    for (const subject of subjects) {
      const id = Buffer.from(subject, 'hex');
      const keys = this.#keyring.all<{ keyId: Uint8Array; wrapped: Uint8Array }>(
        'select key_id as "keyId", wrapped from subject_keys where tenant = ? and subject = ?',
        ...[tenant, id],
      );
      keyIds.push(...keys.map(({ keyId }) => base64(keyId)));
      this.#keyring.destroyed(keys.map(({ wrapped }) => wrapped));
      this.#keyring.run(
        `insert or replace into tombstones (tenant, handle, until)
         select tenant, handle, ? from subject_keys where tenant = ? and subject = ?`,
        ...[lateUntil, tenant, id],
      );
      this.#keyring.run(
        `delete from handles where tenant = ? and handle in (
           select handle from subject_keys where tenant = ? and subject = ?)`,
        ...[tenant, tenant, id],
      );
      this.#keyring.run('delete from subject_keys where tenant = ? and subject = ?', tenant, id);
      this.#keyring.run('delete from links where tenant = ? and towards = ?', tenant, id);
      this.#keyring.run('delete from links where tenant = ? and source = ?', tenant, id);
    }
    return { subjects, keyIds, evict: { tenant, subjects, names: [] } };
  }

  #rewrapAll(tenant: string, subjects: string[], destroyAt: number | null): number {
    const [from, to] =
      destroyAt === null ? (['quarantine', 'live'] as const) : (['live', 'quarantine'] as const);
    let moved = 0;
    for (const subject of subjects) {
      const id = Buffer.from(subject, 'hex');
      const rows = this.#keyring.all<Row>(
        `select k.subject, ${KEY} from subject_keys k where k.tenant = ? and k.subject = ?`,
        ...[tenant, id],
      );
      for (const { n, epoch, wrapped, destroyAt: since } of rows) {
        if ((since === null) !== (from === 'live')) continue;
        const aad = subjectAad(tenant, subject, n);
        const key = this.#keks.unwrap({ tenant, purpose: from, epoch, aad }, wrapped);
        this.#keyring.run(
          `update subject_keys set wrapped = ?, epoch = ?, destroy_at = ?
           where tenant = ? and subject = ? and n = ?`,
          ...[
            this.#keks.wrap({ tenant, purpose: to, aad }, key),
            this.#keks.epoch,
            destroyAt,
            tenant,
            id,
            n,
          ],
        );
        key.fill(0);
        moved += 1;
      }
    }
    return moved;
  }

  subjects({ tenant, handles, create: mayCreate, at }: Ask<'subjects'>) {
    return handles.map((handle) => this.#one(tenant, Buffer.from(handle, 'base64'), mayCreate, at));
  }

  open({ tenant, subjects }: Ask<'open'>): (OpenedKey | Missing)[] {
    return subjects.map((subject) => {
      const row = this.#keyring.get<Row>(BY_SUBJECT, tenant, Buffer.from(subject, 'hex'));
      return row ? this.#open(tenant, row) : 'unknown';
    });
  }

  link({ tenant, from, to, at, as }: Ask<'link'>) {
    const source = this.#one(tenant, Buffer.from(from, 'base64'), true, at);
    const towards = this.#one(tenant, Buffer.from(to, 'base64'), true, at);
    if (typeof source === 'string' || typeof towards === 'string') return { linked: false };
    if (source.subject === towards.subject) return { linked: true };
    const pair = [Buffer.from(towards.subject, 'hex'), Buffer.from(source.subject, 'hex')] as const;
    if (as === 'claimed' && !this.#mayClaim(tenant, ...pair)) return { linked: false, taken: true };
    this.#keyring.run(
      `insert into links (tenant, towards, source, linked_at, vouched) values (?, ?, ?, ?, ?)
       on conflict do update set vouched = max(vouched, excluded.vouched)`,
      ...[tenant, ...pair, at, VOUCHED[as ?? 'told']],
    );
    return { linked: true };
  }

  vouched({ tenant, from, to }: Ask<'vouched'>): boolean {
    const handles = [from, to].map((handle) => Buffer.from(handle, 'base64'));
    const found = this.#keyring.get(
      `select 1 from links l
       join handles f on f.tenant = l.tenant and f.subject = l.source
       join handles t on t.tenant = l.tenant and t.subject = l.towards
       where l.tenant = ? and f.handle = ? and t.handle = ? and l.vouched > 0 limit 1`,
      ...[tenant, ...handles],
    );
    return found !== undefined;
  }

  quarantine({ tenant, subject, destroyAt }: Ask<'quarantine'>): Gone {
    const subjects = this.cluster(tenant, subject);
    this.#rewrapAll(tenant, subjects, destroyAt);
    return { subjects, keyIds: [], evict: { tenant, subjects, names: [] } };
  }

  release({ tenant, subject }: Ask<'release'>) {
    return { released: this.#rewrapAll(tenant, this.cluster(tenant, subject), null) };
  }

  /** The subjects whose quarantine is over. */
  due(at: number): { tenant: string; subject: string }[] {
    return this.#keyring
      .all<{ tenant: string; subject: Uint8Array }>(
        `select tenant, subject from subject_keys
         where destroy_at is not null and destroy_at <= ? limit 1000`,
        at,
      )
      .map(({ tenant, subject }) => ({ tenant, subject: hex(subject) }));
  }
}
