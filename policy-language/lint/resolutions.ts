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

type Undecided = {
  readonly code: string;
  readonly promises: readonly string[];
  readonly lesson: string | undefined;
  readonly policy: Policy;
};

/** The entry under `resolves:` that would settle a finding, for its author to put in own words. */
export function decisionAbout({ code, promises, lesson, policy }: Undecided): string {
  const about = promises.length > 0 ? `promises: [${[...new Set(promises)].join(', ')}], ` : '';
  const decision = JSON.stringify(lesson ?? 'what holds');
  return `{ finding: ${code}, ${about}decision: ${decision}, because: "the reason", on: ${policy.effective} }`;
}

/** An entry that names promises settles findings about one of them; one that names none, all. */
function settles(entry: Entry, finding: Finding): boolean {
  if (!entry.promises) return true;
  const about = finding.promises ?? [];
  return about.some((id) => entry.promises?.includes(id));
}
