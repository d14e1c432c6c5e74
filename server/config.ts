/**
 * What the environment may say, all of it, with defaults: read once at start, frozen, handed on.
 * The table in docs/operate.md is checked against this schema by a test.
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseDuration } from '@troth/policy-language';
import { z } from 'zod';
import { readProxies } from '#base/forwarded-address';

const PORT = 'write a whole number from 0 to 65535, as 8787';
function areProxies(text: string): boolean {
  try {
    readProxies(text);
    return true;
  } catch {
    return false;
  }
}

const PUBLIC = 'write scheme and host only, as https://troth.example.org';
const Port = z.coerce.number(PORT).int(PORT).min(0, PORT).max(65_535, PORT);

export const Environment = z.object({
  TROTH_HTTP_PORT: Port.default(8787).describe(
    'Plain HTTP on loopback, for development. 0 takes a free port.',
  ),
  TROTH_HTTPS_PORT: Port.default(8788).describe(
    'TLS 1.3 with the local authority made at first start. 0 takes a free port.',
  ),
  TROTH_PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: PUBLIC })
    .refine((url) => /^[^/]+\/\/[^/?#@]+\/?$/.test(url), PUBLIC)
    .optional()
    .describe(
      'Where people reach the server: in links that leave this machine. No path behind it.',
    ),
  TROTH_TRUSTED_PROXIES: z
    .string()
    .min(1)
    .refine(areProxies, 'write addresses and ranges, as 10.0.0.0/8,192.0.2.7')
    .optional()
    .describe('Reverse proxies whose X-Forwarded-For or Forwarded is believed. Unset: nobody’s.'),
  TROTH_DATA_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Engines’ files, objects, journals. Default: .data in the repository.'),
  TROTH_POLICIES_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('The documents that are applied at start. Default: policies in the repository.'),
  TROTH_KEYRING_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('The keyring, never inside the data directory. Default: .troth-keys in the home.'),
  TROTH_KEYRING_COPY_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('The keyring’s second, synchronous copy, on another disk.'),
  TROTH_KEYRING_PASSPHRASE_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('A file whose content wraps the root key. Unset: a 0600 file beside the keyring.'),
  TROTH_AUDIT_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('The audit logs, never restored. Default: beside the keyring, with -audit behind.'),
  TROTH_POSTGRES_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .optional()
    .describe('Unset: the PostgreSQL that ships with Troth. Set: yours.'),
  TROTH_CLICKHOUSE_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Unset: the ClickHouse that ships with Troth. Set: yours.'),
  TROTH_PROVE_EVERY: z
    .string()
    .regex(/^(off|PT[1-9]\d{0,3}[HM])$/)
    .default('PT1H')
    .describe('Pause between two rounds of proofs, as PT1H or PT15M; `off`: only when asked.'),
  TROTH_ALERT_WEBHOOK_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Told of promises that break and hold again, as Standard Webhooks.'),
  TROTH_ALERT_WEBHOOK_SECRET_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('A file with the secret (`whsec_…`) that alerts are signed with.'),
  TROTH_ALERT_MAIL_TO: z.email().optional().describe('Who gets the same by mail.'),
  TROTH_MAIL_FROM: z.email().default('troth@localhost.localdomain').describe('The sender of mail.'),
  TROTH_SMTP_URL: z
    .url({ protocol: /^smtps?$/ })
    .optional()
    .describe('The mail server: smtp://user:password@host:587 or smtps://…'),
  TROTH_LOCATION_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('A MaxMind (MMDB) file for geolocation. Unset: the bundled CC0 country database.'),
});

export type Config = ReturnType<typeof readConfig>;

/**
 * Reads the environment.
 *
 * @throws Error that lists every mistake at once, by name, without the values.
 */
export function readConfig(env: Record<string, string | undefined>, root: string) {
  const read = Environment.safeParse(env);
  if (!read.success) {
    const names = read.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`);
    throw new Error(`configuration:\n  ${names.join('\n  ')}`);
  }
  const given = read.data;
  const dataDir = resolve(given.TROTH_DATA_DIR ?? join(root, '.data'));
  const keyringDir = resolve(given.TROTH_KEYRING_DIR ?? defaultKeyring(dataDir, root));
  if (`${keyringDir}/`.startsWith(`${dataDir}/`)) {
    // A copy of the data would hold its keys.
    throw new Error('configuration:\n  TROTH_KEYRING_DIR: must lie outside TROTH_DATA_DIR');
  }
  const auditDir = resolve(given.TROTH_AUDIT_DIR ?? `${keyringDir}-audit`);
  if (`${auditDir}/`.startsWith(`${dataDir}/`)) {
    // A restore of the data would take the log of what was done back with it.
    throw new Error('configuration:\n  TROTH_AUDIT_DIR: must lie outside TROTH_DATA_DIR');
  }
  return Object.freeze({
    httpPort: given.TROTH_HTTP_PORT,
    httpsPort: given.TROTH_HTTPS_PORT,
    /** Scheme, host and port; no slash behind. */
    publicUrl: given.TROTH_PUBLIC_URL && new URL(given.TROTH_PUBLIC_URL).origin,
    trustedProxies: given.TROTH_TRUSTED_PROXIES,
    dataDir,
    policiesDir: resolve(given.TROTH_POLICIES_DIR ?? join(root, 'policies')),
    keyringDir,
    keyringCopyDir: given.TROTH_KEYRING_COPY_DIR && resolve(given.TROTH_KEYRING_COPY_DIR),
    auditDir,
    keyringPassphraseFile: given.TROTH_KEYRING_PASSPHRASE_FILE,
    postgresUrl: given.TROTH_POSTGRES_URL,
    clickhouseUrl: given.TROTH_CLICKHOUSE_URL,
    locationFile: given.TROTH_LOCATION_FILE,
    alerts: {
      webhookUrl: given.TROTH_ALERT_WEBHOOK_URL,
      webhookSecretFile: given.TROTH_ALERT_WEBHOOK_SECRET_FILE,
      mailTo: given.TROTH_ALERT_MAIL_TO,
      mailFrom: given.TROTH_MAIL_FROM,
      smtpUrl: given.TROTH_SMTP_URL,
    },
    proveEveryMs:
      given.TROTH_PROVE_EVERY === 'off'
        ? 0
        : (parseDuration(given.TROTH_PROVE_EVERY)?.milliseconds ?? 0),
  });
}

/**
 * Beside the data directory for a data directory of one's own, else in the home: two clones of the
 * repository must not share one keyring, so the clone's path is part of the name.
 */
function defaultKeyring(dataDir: string, root: string): string {
  if (dataDir !== join(root, '.data')) return `${dataDir}-keys`;
  return join(homedir(), '.troth-keys', root.replaceAll(/[^A-Za-z0-9]+/g, '-').replace(/^-/, ''));
}
