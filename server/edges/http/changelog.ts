/**
 * What changed for those who build on a service, as a feed (JSON Feed 1.1): the lines of each
 * revision that a client meets, and no others.
 *
 * @see https://www.jsonfeed.org/version/1.1/
 */
import { diffPolicies, type Policy, readPolicy } from '@troth/policy-language';
import type { TenantId } from '#base/ids';
import { listRevisions, type Revision, type RevisionText, readRevision } from '#core/policy';
import type { Database } from '#platform/database';

/** Sections of a document that decide what is sent, asked, stored or set by a client. */
const TECHNICAL = /^..(age|consent|cookies|data|identify|ingest|purposes|regions)\b/;
/** A feed is read for what is new; older revisions are in the list of all. */
const ITEMS_MAX = 50;

export type ChangelogItem = {
  readonly id: string;
  readonly url: string;
  readonly title: string;
  readonly content_text: string;
  readonly date_published: string;
};

const policyIn = (text: RevisionText | undefined): Policy | undefined =>
  text && readPolicy(text.source, { file: 'policy.yaml' }).policy;

/** What a revision changed against the one before it; everything, for the first. */
export function changesBetween(before: RevisionText | undefined, now: RevisionText) {
  const [from, to] = [policyIn(before), policyIn(now)];
  return from && to ? diffPolicies(from, to).lines : [];
}

const itemOf = (tenant: TenantId, given: Revision, text: string): ChangelogItem => ({
  id: `${tenant}/${given.revision}`,
  url: `/v1/t/${tenant}/policy/revisions/${given.revision}`,
  title: `Version ${given.version}`,
  content_text: text,
  date_published: given.appliedAt.toISOString(),
});

async function itemsOf(db: Database, tenant: TenantId, revisions: readonly Revision[]) {
  const items: ChangelogItem[] = [];
  let now = await readRevision(db, tenant, revisions[0]?.revision ?? 0);
  for (const given of revisions.slice(0, ITEMS_MAX)) {
    const before = await readRevision(db, tenant, given.revision - 1);
    if (!before) items.push(itemOf(tenant, given, 'The first version.'));
    const lines = before && now ? changesBetween(before, now) : [];
    const technical = lines.filter((line) => TECHNICAL.test(line));
    if (technical.length > 0) items.push(itemOf(tenant, given, technical.join('\n')));
    now = before;
  }
  return items;
}

/**
 * Opens the feeds of all services. Documents are compared once for each revision, so that a feed
 * that is asked for often costs one look into the database.
 */
export function openChangelog(db: Database) {
  const made = new Map<TenantId, { hash: string; items: Promise<readonly ChangelogItem[]> }>();
  return async (tenant: TenantId): Promise<readonly ChangelogItem[]> => {
    const revisions = await listRevisions(db, tenant);
    const hash = `${revisions[0]?.revision} ${revisions[0]?.hash}`;
    const known = made.get(tenant);
    if (known?.hash === hash) return known.items;
    const items = itemsOf(db, tenant, revisions);
    made.set(tenant, { hash, items });
    items.catch(() => made.delete(tenant));
    return items;
  };
}
