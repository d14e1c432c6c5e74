/**
 * Signed documents: certificates, evidence reports, audit exports. JSON that says what it is and
 * who signed it, and that anyone can check with nothing but itself and the public key.
 *
 * Signed are a line of context and the canonical form (RFC 8785) of the document, so neither the
 * spacing of the file nor the order of its members matters, and a signature of one kind of document
 * cannot be moved to another.
 */
import { canonicalJson } from './canonical-json.ts';
import { keyIdOf, PUBLIC_KEY_BYTES, type Signer, verifySignature } from './ed25519.ts';

const KIND = /^[a-z][a-z0-9-]{1,60}$/;
const VERSION = 1;

export type SignedDocument = {
  /** `<kind>/1`. */
  readonly troth: string;
  readonly document: unknown;
  readonly signature: {
    readonly alg: 'EdDSA';
    /** RFC 7638 thumbprint of the public key. */
    readonly kid: string;
    /** 32 bytes, base64url. */
    readonly publicKey: string;
    /** 64 bytes, base64url. */
    readonly value: string;
  };
};

export type VerifiedDocument = {
  readonly kind: string;
  readonly document: unknown;
  readonly kid: string;
  readonly publicKey: Buffer;
  /** False when no key was handed in: then the document was not changed, by whomever it is. */
  readonly trusted: boolean;
};

export type DocumentFailure = {
  readonly failure:
    | 'not-a-signed-document'
    | 'version-unknown'
    | 'key-not-trusted'
    | 'signature-wrong';
};

const signedBytes = (troth: string, document: unknown) =>
  Buffer.from(`troth/signed-document/v1\n${troth}\n${canonicalJson(document)}`);

/**
 * Signs a document.
 *
 * @param kind  One word: `erasure-certificate`, `evidence-report`, `audit-export`.
 * @throws TypeError for what JSON cannot carry.
 */
export async function signDocument(
  kind: string,
  document: unknown,
  signer: Signer,
): Promise<SignedDocument> {
  if (!KIND.test(kind)) throw new TypeError('not a kind of document');
  const troth = `${kind}/${VERSION}`;
  const value = await signer.sign(signedBytes(troth, document));
  return {
    troth,
    // As it will be read back: what JSON leaves out or spells otherwise is settled here.
    document: JSON.parse(canonicalJson(document)) as unknown,
    signature: {
      alg: 'EdDSA',
      kid: signer.keyId,
      publicKey: Buffer.from(signer.publicKey).toString('base64url'),
      value: Buffer.from(value).toString('base64url'),
    },
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Strict: the one spelling of these bytes, so that no second file passes for the same document. */
function bytesOf(value: unknown, length: number): Buffer | undefined {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64url');
  return bytes.length === length && bytes.toString('base64url') === value ? bytes : undefined;
}

/** Members beside the declared ones would look signed and are not. */
const hasExactly = (value: Record<string, unknown>, names: string) =>
  Object.keys(value).sort().join() === names;

/**
 * Verifies a document that was parsed from JSON; throws never.
 *
 * @param trustedPublicKey  32 bytes from elsewhere than the document. Without it the answer says
 *                          `trusted: false`: whoever holds any key could have signed it.
 */
export function verifyDocument(
  value: unknown,
  trustedPublicKey?: Uint8Array,
): VerifiedDocument | DocumentFailure {
  const unreadable = { failure: 'not-a-signed-document' } as const;
  if (!isRecord(value) || !hasExactly(value, 'document,signature,troth')) return unreadable;
  const { troth, document, signature } = value;
  if (typeof troth !== 'string' || !isRecord(signature)) return unreadable;
  const [kind = '', version, ...rest] = troth.split('/');
  if (!KIND.test(kind) || rest.length > 0) return unreadable;
  if (version !== String(VERSION)) return { failure: 'version-unknown' };
  const publicKey = bytesOf(signature['publicKey'], PUBLIC_KEY_BYTES);
  const signed = bytesOf(signature['value'], 64);
  const shaped = hasExactly(signature, 'alg,kid,publicKey,value') && signature['alg'] === 'EdDSA';
  if (!shaped || !publicKey || !signed) return unreadable;
  const kid = keyIdOf(publicKey);
  if (signature['kid'] !== kid) return { failure: 'signature-wrong' };
  if (trustedPublicKey && !publicKey.equals(trustedPublicKey)) {
    return { failure: 'key-not-trusted' };
  }
  try {
    const bytes = signedBytes(troth, document);
    if (!verifySignature(publicKey, bytes, signed)) return { failure: 'signature-wrong' };
  } catch {
    // Nested deeper than the stack reaches: nothing that we sign is.
    return unreadable;
  }
  return { kind, document, kid, publicKey, trusted: trustedPublicKey !== undefined };
}
