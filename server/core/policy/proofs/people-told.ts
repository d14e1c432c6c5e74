import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term } from '#core/promises';
import { changedSections, givenRevisions, storedRevisions } from './revisions.ts';

type Item = { readonly id: string; readonly content_text: string; readonly date_published: string };
type Feed = { readonly version: string; readonly items: readonly Item[] };

/** What a program that sends events, asks for consent or sets cookies meets. */
const MET_BY_CLIENTS = new Set(
  'age consent cookies data identify ingest purposes regions'.split(' '),
);
/** A feed holds what is new. */
const NEWEST = 50;

async function readFeed({ http, tenant }: Look): Promise<Feed | undefined> {
  const { status, headers, json } = await http(`/v1/t/${tenant}/changelog.json`);
  const isFeed = headers.get('content-type')?.startsWith('application/feed+json');
  const feed = json as Feed | undefined;
  return status === 200 && isFeed && Array.isArray(feed?.items) ? feed : undefined;
}

export const peopleTold = defineProof({
  control: 'changes.people-told',
  strength: 'api',
  blindTo: 'Whether anybody follows the feed.',
  async prove(at, { about, channel }) {
    if (channel !== 'changelog' || about !== 'technical-change') {
      const via = channel === 'all' ? 'every channel' : String(channel);
      return gap(saw`nothing in this version tells people by ${term(via)} yet`);
    }
    const [feed, stored, given] = [
      await readFeed(at),
      await storedRevisions(at),
      await givenRevisions(at),
    ];
    if (!feed) return broken(saw`a stranger cannot read the changelog as a feed`);
    if (stored.length === 0 || !given) return gap(saw`the revisions could not be read`);
    let entries = 0;
    for (const [index, one] of stored.entries()) {
      if (index < stored.length - NEWEST) continue;
      const item = feed.items.find(({ id }) => id.endsWith(`/${one.revision}`));
      const before = stored[index - 1];
      const sections = before ? changedSections(before.document, one.document) : [];
      const wanted = sections.filter((section) => MET_BY_CLIENTS.has(section));
      if (before && wanted.length === 0) {
        if (item) return broken(saw`revision ${one.revision} changed nothing, and has an entry`);
        continue;
      }
      const lines = item?.content_text.split('\n') ?? [];
      const isTold = wanted.every((section) =>
        lines.some((line) => line.slice(2).startsWith(section)),
      );
      if (!item || !isTold) return broken(saw`what revision ${one.revision} changed is not told`);
      const applied = given.find(({ revision }) => revision === one.revision)?.appliedAt;
      if (item.date_published !== applied)
        return broken(saw`the entry of revision ${one.revision} bears another date`);
      entries += 1;
    }
    return kept(
      saw`without a key: a feed with ${entries} of ${entries} revisions that changed what clients meet, each with its date and its changes, of ${stored.length} in all`,
    );
  },
});
