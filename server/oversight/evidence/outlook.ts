import type { Writable } from 'node:stream';
import type { TenantId } from '#base/ids';

/** Where the prover looks from: addresses, logins and folders, handed over when it is started. */
export type Outlook = {
  /** `http://localhost:8787` */
  readonly url: string;
  /** `https://localhost:8788` */
  readonly secureUrl: string;
  /** PEM of the authority that the certificate is from. */
  readonly authority: string;
  /** A session of the operator. */
  readonly operatorToken: string;
  /** The login that owns the schemas. */
  readonly postgresUrl: string;
  readonly clickhouseUrl: string;
  readonly keeperSocket: string;
  readonly dataDir: string;
  readonly keyringDir: string;
  /** Of the keyring's second copy, where there is one. */
  readonly keyringCopyDir?: string | undefined;
  /** A write key of servers for each service. */
  readonly writeKeys: Readonly<Record<TenantId, string>>;
  /** Another of each, whose limits a proof may use up. */
  readonly spareKeys: Readonly<Record<TenantId, string>>;
  /** And one that pages of any origin may use. */
  readonly pageKeys: Readonly<Record<TenantId, string>>;
};

/** What the prover is asked to prove: everything, or what fits all that is named here. */
export type Wanted = {
  readonly tenant?: string;
  readonly promise?: string;
  readonly control?: string;
};

/** Writes one JSON document a line. */
export const writeLine = (out: Writable, line: object): boolean =>
  out.write(`${JSON.stringify(line)}\n`);
