/** A certificate, checked as anybody could: with the published key and one's own counts. */
import { createPublicKey, verify } from 'node:crypto';
import { canonicalJson } from '#base/canonical-json';
import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, span, term } from '#core/promises';
import { type Erased, erased } from './erased.ts';

/** The clocks of one machine are one; its engines round to milliseconds. */
const SLACK_MS = 1_000;

type Store = { store: string; place: string; counted: number; deleted: number; remains: number };
type Place = { store: string; found: number; searched: boolean; files: number; bytes: number };
type Document = {
  readonly request: string;
  readonly tenant: string;
  readonly people: number;
  readonly reason: string;
  readonly times: Readonly<Record<string, string | null>>;
  readonly stores: readonly Store[];
  readonly search: { readonly places: readonly Place[] };
  readonly complete: boolean;
  readonly says: string;
};
type Signed = {
  readonly troth: string;
  readonly document: Document;
  readonly signature: { readonly value: string };
};

/** Whether one of the published keys signed it. The form is that of RFC 8785 and RFC 8032. */
function isSigned({ troth, document, signature }: Signed, keys: readonly object[]): boolean {
  const text = `troth/signed-document/v1\n${troth}\n${canonicalJson(document)}`;
  const value = Buffer.from(signature.value, 'base64url');
  return keys.some((key) => {
    const publicKey = createPublicKey({ key: key as never, format: 'jwk' });
    return verify(null, Buffer.from(text), publicKey, value);
  });
}

async function publishedKeys({ http }: Look): Promise<readonly object[]> {
  const { json } = await http('/.well-known/troth-keys.json');
  return (json as { keys?: object[] } | undefined)?.keys ?? [];
}

/** The first count of the certificate that differs from what was counted before the demand. */
function miscounted({ gone }: Erased, { stores }: Document): string | undefined {
  const counted = new Map([...gone.events, ...gone.tables]);
  for (const { place, counted: said, deleted, remains } of stores) {
    if (said !== (counted.get(place) ?? 0) || deleted !== said || remains !== 0) return place;
    counted.delete(place);
  }
  return [...counted.keys()][0];
}

const STEPS = ['requested', 'hidden', 'keyDestroyed', 'rowsDeleted', 'searched'] as const;

/** The times stand in their order, between the demand and now. */
function timely({ times }: Document, { sentAt }: Erased, now: number): boolean {
  const said = STEPS.map((step) => Date.parse(times[step] ?? ''));
  const all = [sentAt - SLACK_MS, ...said, now + SLACK_MS];
  return all.every((at, index) => index === 0 || at >= (all[index - 1] ?? Number.NaN));
}

/** What the certificate says of the search must follow from what it says was searched. */
function overstated({ search, complete, says }: Document): boolean {
  const unseen = search.places.filter(({ searched }) => !searched);
  const found = search.places.some((place) => place.found > 0);
  const isNamed = unseen.every(({ store }) => says.includes(store));
  return found || !isNamed || complete !== (unseen.length === 0);
}

function wrongIn(scene: Erased, document: Document): string | undefined {
  const { gone, demand, reason } = scene;
  if (document.request !== demand.id || document.reason !== reason) return 'its scope';
  if (document.people !== gone.subjects.length) return 'its number of people';
  const place = miscounted(scene, document);
  if (place) return `its count of ${place}`;
  if (!timely(document, scene, Date.now())) return 'one of its times';
  if (overstated(document)) return 'what it claims of the search';
  const names = gone.bytes.texts.map((text) => text.toString());
  if (names.some((name) => JSON.stringify(document).includes(name))) return 'it names the person';
  return undefined;
}

export const certificate = defineProof({
  control: 'erasure.certificate',
  strength: 'api',
  blindTo:
    'Whether who holds the signing key would sign what is not so: the counts and the search are looked at by proofs of their own.',
  prepare: erased,
  async prove(look) {
    const scene = await erased(look);
    const { demand, gone } = scene;
    if (demand.state !== 'done') return gap(saw`the erasure was under way when the time was over`);
    const signed = scene.certificate as Signed | undefined;
    if (!signed?.document) return broken(saw`a finished erasure has no certificate`);
    const keys = await publishedKeys(look);
    if (keys.length === 0) return broken(saw`no public key is published to verify it with`);
    if (!isSigned(signed, keys)) return broken(saw`its signature is not by the published key`);
    const document = { ...signed.document, people: signed.document.people + 1 };
    if (isSigned({ ...signed, document }, keys)) return gap(saw`a changed one was verified too`);
    const wrong = wrongIn(scene, signed.document);
    if (wrong) return broken(saw`the certificate is signed and wrong: ${term(wrong)}`);
    const { search, stores } = signed.document;
    const searched = search.places.filter((place) => place.searched).length;
    const took = Date.parse(demand.finishedAt ?? '') - scene.sentAt;
    return kept(
      saw`signed by the published key after ${span(took)}: its counts of ${stores.length} places are those made before (${gone.events.size + gone.tables.size} with rows), and it says that ${searched} of ${search.places.length} places on the disk were searched`,
    );
  },
});
