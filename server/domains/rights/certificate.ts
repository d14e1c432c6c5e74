/**
 * The certificate: what was counted, deleted and looked for, in words that claim no more.
 */
import type { Policy } from '@troth/policy-language';
import { type SignedDocument, signDocument } from '#base/signed-document';
import type { Signer } from '#core/keys';
import type { Erasure, LedgerRow } from './model.ts';
import { DAY_MS, LATE_DAYS } from './model.ts';
import type { Place } from './search.ts';

export const CERTIFICATE_KIND = 'erasure-certificate';

type Remains = { readonly what: string; readonly where: string; readonly until: string };

export type CertificateFacts = {
  readonly erasure: Erasure;
  readonly people: number;
  readonly ledger: readonly LedgerRow[];
  readonly places: readonly Place[];
  readonly policy: { readonly policy: Policy; readonly hash: string; readonly revision: number };
  readonly handleSearched: boolean;
  readonly rowsSearched: number;
  readonly control: string;
  readonly finishedAt: Date;
};

const auditLimit = (policy: Policy): string =>
  Object.values(policy.compiled.data).find(({ id }) => policy.data[id]?.from === 'audit')?.retain
    .text ?? 'no limit';

const requestLimit = (policy: Policy): string =>
  Object.values(policy.compiled.data).find(({ id }) => policy.data[id]?.from === 'rights')?.retain
    .text ?? 'no limit';

/** What still names the person, and what it is worth without the map from person to number. */
function remainsOf({ erasure, policy: { policy } }: CertificateFacts): Remains[] {
  const since = erasure.keyDestroyedAt ?? erasure.requestedAt;
  const late = new Date(since.getTime() + LATE_DAYS * DAY_MS).toISOString();
  const blind = {
    what: 'the blind index of the handles, so that late events are refused',
    where: 'keyring',
    until: late,
  };
  if (erasure.subject === null) return erasure.found === 'erased-before' ? [blind] : [];
  const id = (where: string, until: string) => ({ what: 'the opaque id', where, until });
  return [
    blind,
    id('the audit log, which holds no personal value', auditLimit(policy)),
    id('the record of this request', requestLimit(policy)),
    id('the list by which late events are refused', late),
    id('the forget journal, so that a restored backup forgets again', 'no limit'),
  ];
}

const NOTHING_HELD = 'Nothing is held under this name: it has no id and no key.';
const ERASED =
  'The keys are destroyed, the rows are deleted, and none of the bytes looked for was found ' +
  'in a store that was searched.';
const TEXTS_UNREAD =
  ' The name itself was not looked for in texts without a person, which the event store keeps ' +
  'compressed.';

const namedIn = (places: readonly Place[]) =>
  places.filter(({ named }) => named > 0).map(({ store }) => store);

function sentenceOf({ erasure, places }: CertificateFacts): string {
  const unseen = places.filter(({ searched }) => !searched).map(({ store }) => store);
  const limits =
    unseen.length === 0 ? '' : ` Not searched, so nothing is claimed of it: ${unseen.join(', ')}.`;
  const named = namedIn(places);
  const stands =
    named.length === 0
      ? ''
      : ` The name itself stands in ${named.join(', ')}: it is a common word, or stands in a text that is not the person’s.`;
  const held = erasure.subject === null ? NOTHING_HELD : ERASED;
  return `${held}${stands}${TEXTS_UNREAD}${limits}`;
}

/** Certificates of before count no names. */
const isWhole = (places: readonly (Pick<Place, 'searched' | 'found'> & { named?: number })[]) =>
  places.every(({ searched, found, named = 0 }) => searched && found === 0 && named === 0);

export const certificateDocument = (facts: CertificateFacts) => {
  const { erasure, people, ledger, places, policy } = facts;
  const iso = (date: Date | null) => date?.toISOString() ?? null;
  const isBytes = ({ store }: LedgerRow) => store === 'bytes';
  const before = new Map(ledger.filter(isBytes).map((row) => [row.place, row.counted]));
  return {
    request: erasure.id,
    tenant: erasure.tenant,
    subject: erasure.subject,
    people,
    found: erasure.found,
    reason: erasure.reason,
    policy: { revision: policy.revision, hash: policy.hash, underRevision: erasure.revision },
    times: {
      requested: iso(erasure.requestedAt),
      hidden: iso(erasure.hiddenAt),
      keyDestroyed: iso(erasure.keyDestroyedAt),
      rowsDeleted: iso(erasure.deletedAt),
      searched: iso(facts.finishedAt),
    },
    keys: erasure.keys,
    stores: ledger
      .filter((row) => !isBytes(row))
      .map(({ store, place, counted, remains }) => ({
        store,
        place,
        counted,
        deleted: counted - remains,
        remains,
      })),
    search: {
      control: facts.control,
      handleSearched: facts.handleSearched,
      rowsSearched: facts.rowsSearched,
      places: places.map((place) => ({
        ...place,
        seconds: Math.round(place.seconds * 1_000) / 1_000,
        foundBefore: before.get(place.store) ?? null,
      })),
    },
    remains: remainsOf(facts),
    complete: isWhole(places),
    says: sentenceOf(facts),
  };
};

export const signCertificate = (facts: CertificateFacts, signer: Signer): Promise<SignedDocument> =>
  signDocument(CERTIFICATE_KIND, certificateDocument(facts), signer);

export type Certificate = ReturnType<typeof certificateDocument>;

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0;

/**
 * What a certificate claims and its own figures do not bear out; empty when all of it follows.
 * Needs nothing but the document: whoever receives it can run this.
 */
export function certificateComplaints(document: unknown): string[] {
  const given = document as Partial<Certificate> | null;
  const { stores, search, complete, keys, people } = given ?? {};
  if (!Array.isArray(stores) || !Array.isArray(search?.places) || !isCount(people)) {
    return ['it is not of the shape of a certificate'];
  }
  const complaints = stores.flatMap(({ place, counted, deleted, remains }) =>
    isCount(counted) && remains === 0 && deleted === counted ? [] : [`rows remain in ${place}`],
  );
  for (const { store, searched, found, control, unreadable } of search.places) {
    if (searched && (control === 'missing' || unreadable !== 0)) {
      complaints.push(`it says that ${store} was searched, and shows that it was not`);
    }
    if (searched && found !== 0) complaints.push(`bytes of the person were found in ${store}`);
  }
  if (complete !== isWhole(search.places))
    complaints.push('it says of itself whether it is complete, wrongly');
  if (people > 0 && !isCount(keys?.destroyed)) complaints.push('it names no destroyed key');
  return complaints;
}
