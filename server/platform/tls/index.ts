/**
 * A local certificate authority, made at the first start, and a server certificate under it.
 *
 * It lets the transport promises be kept, and be looked at, on a machine that has no certificate of
 * its own. The authority's key never leaves its directory; the certificate of the server is renewed
 * a month before it ends. It vouches for `localhost` and loopback only.
 */
// First: x509's container needs it while it loads.
import 'reflect-metadata';
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
/** Browsers refuse more than 398 days. */
const SERVER_DAYS = 397;
const RENEW_BEFORE_DAYS = 30;

export type LocalCertificate = {
  /** PEM: the private key of the server. */
  key: string;
  /** PEM: the server's certificate, then the authority's. */
  chain: string;
  /** PEM: what a client has to trust. */
  authority: string;
};

/**
 * The certificate of this machine, made or renewed when needed.
 *
 * @param folder  kept at mode 0700; holds `authority.pem`, `authority.key`, `server.pem`,
 *                 `server.key`.
 * @see RFC 5280 for the extensions, RFC 8446 for the protocol it serves.
 */
export async function localCertificate(folder: string, now: Date): Promise<LocalCertificate> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const authority = await keptAuthority(folder, now);
  const kept = readKept(folder, 'server');
  const renewAt = now.getTime() + RENEW_BEFORE_DAYS * DAY_MS;
  const isGood =
    kept &&
    new x509.X509Certificate(kept.certificate).notAfter.getTime() > renewAt &&
    isFrom(authority, kept);
  const server = isGood ? kept : await makeServer(folder, authority, now);
  return {
    key: server.key,
    chain: `${server.certificate}\n${authority.certificate}\n`,
    authority: authority.certificate,
  };
}

type Kept = { key: string; certificate: string };

/** An authority that was made anew did not sign what is left of the one before. */
const isFrom = (authority: Kept, server: Kept): boolean =>
  new X509Certificate(server.certificate).verify(
    new X509Certificate(authority.certificate).publicKey,
  );

/** A pair that does not belong together, or was cut off by a power cut, is as good as none. */
function readKept(folder: string, name: string): Kept | undefined {
  try {
    const key = readFileSync(join(folder, `${name}.key`), 'utf8');
    const certificate = readFileSync(join(folder, `${name}.pem`), 'utf8');
    const fits = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
    return fits ? { key, certificate } : undefined;
  } catch {
    return undefined; // Not made yet: the caller makes it.
  }
}

/** Writes the key before the certificate, each by rename, so that a pair is never half there. */
function keep(folder: string, name: string, kept: Kept): Kept {
  for (const [suffix, text] of [
    ['key', kept.key],
    ['pem', kept.certificate],
  ] as const) {
    const file = join(folder, `${name}.${suffix}`);
    writeFileSync(`${file}.new`, text, { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
  }
  return kept;
}

async function keptAuthority(folder: string, now: Date): Promise<Kept> {
  const kept = readKept(folder, 'authority');
  if (kept && new x509.X509Certificate(kept.certificate).notAfter > now) return kept;
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=Troth local authority',
      notBefore: new Date(now.getTime() - DAY_MS),
      notAfter: new Date(now.getTime() + AUTHORITY_DAYS * DAY_MS),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    },
    webcrypto as never,
  );
  return keep(folder, 'authority', {
    key: await privatePem(keys.privateKey),
    certificate: certificate.toString('pem'),
  });
}

async function makeServer(folder: string, authority: Kept, now: Date): Promise<Kept> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: 'CN=localhost',
      issuer: new x509.X509Certificate(authority.certificate).subject,
      notBefore: new Date(now.getTime() - DAY_MS),
      notAfter: new Date(now.getTime() + SERVER_DAYS * DAY_MS),
      publicKey: keys.publicKey,
      signingKey: await importPrivate(authority.key),
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.SubjectAlternativeNameExtension([
          { type: 'dns', value: 'localhost' },
          { type: 'ip', value: '127.0.0.1' },
          { type: 'ip', value: '::1' },
        ]),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ],
    },
    webcrypto as never,
  );
  return keep(folder, 'server', {
    key: await privatePem(keys.privateKey),
    certificate: certificate.toString('pem'),
  });
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = await webcrypto.subtle.exportKey('pkcs8', key);
  return x509.PemConverter.encode(bytes, x509.PemConverter.PrivateKeyTag);
}

function importPrivate(pem: string): Promise<webcrypto.CryptoKey> {
  const bytes = x509.PemConverter.decodeFirst(pem);
  return webcrypto.subtle.importKey('pkcs8', bytes, ALGORITHM, false, ['sign']);
}
