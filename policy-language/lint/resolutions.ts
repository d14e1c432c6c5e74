/** Recorded decisions: a finding is settled by an entry under `resolves:`, never by silence. */
import type { Finding } from '#language/finding';
import type { Policy } from '#language/policy';

type Entry = NonNullable<Policy['resolves']>[number];

/** Marks what was decided; also says which decisions are about nothing. */
export function applyResolutions(
  findings: readonly Finding[],
  entries: readonly Entry[],
): { findings: Finding[]; unused: number[] } {
  const byCode = new Map<string, { entry: Entry; index: number }[]>();
  for (const [index, entry] of entries.entries()) {
    const list = byCode.get(entry.finding) ?? [];
    list.push({ entry, index });
    byCode.set(entry.finding, list);
  }
  const used = new Set<number>();
  const settled = findings.map((finding): Finding => {
    const hit = byCode.get(finding.code)?.find(({ entry }) => settles(entry, finding));
    if (!hit) return finding;
    used.add(hit.index);
    const { decision, because } = hit.entry;
    return { ...finding, state: 'resolved', resolution: { decision, because } };
  });
  return { findings: settled, unused: [...entries.keys()].filter((index) => !used.has(index)) };
}

/** An entry that names promises settles findings about one of them; one that names none, all. */
function settles(entry: Entry, finding: Finding): boolean {
  if (!entry.promises) return true;
  const about = finding.promises ?? [];
  return about.some((id) => entry.promises?.includes(id));
}
