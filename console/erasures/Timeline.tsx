import type { ErasureDetail } from '#console/api.ts';
import { count, length, many } from '#console/shell/words.tsx';

const STEPS: Record<string, string> = {
  requested: 'Asked for, and on record',
  hidden: 'Hidden from every screen and interface',
  'key-destroyed': 'Key destroyed: what is sealed opens for nobody',
  'all-rows-deleted': 'No row is left',
  certified: 'Searched on the disk, and certified',
  undone: 'Undone',
};

/** An erasure as a line of stores: what was there, what went, and what the search still found. */
export function Timeline({ erasure }: { erasure: ErasureDetail }) {
  const began = Date.parse(erasure.requestedAt);
  const after = (at: string) => length(Math.max(0, Date.parse(at) - began));
  const found = erasure.search.reduce((sum, one) => sum + one.found, 0);
  const before = erasure.search.reduce((sum, one) => sum + one.foundBefore, 0);
  return (
    <>
      <ol className="timeline">
        {erasure.timeline.map((step, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the steps of a ledger keep their places
          <li key={at}>
            <time dateTime={step.at}>+{after(step.at)}</time>
            {step.what === 'rows-deleted' ? (
              <span>
                <code>{step.place}</code>{' '}
                <span className="muted">
                  {step.store}: {many(step.counted ?? 0, 'row')} before, {count(step.deleted ?? 0)}{' '}
                  deleted
                  {(step.remains ?? 0) > 0 && <b>, {count(step.remains ?? 0)} remain</b>}
                </span>
              </span>
            ) : (
              <b>{STEPS[step.what] ?? step.what}</b>
            )}
          </li>
        ))}
      </ol>
      {erasure.search.length > 0 && (
        <table className="search">
          <caption>
            Searched on the disk: {count(before)} places with their bytes before, {count(found)}{' '}
            after.
          </caption>
          <thead>
            <tr>
              <th scope="col">Store</th>
              <th scope="col" className="number">
                before
              </th>
              <th scope="col" className="number">
                after
              </th>
            </tr>
          </thead>
          <tbody>
            {erasure.search.map(({ place, foundBefore, found: left }) => (
              <tr key={place}>
                <th scope="row">{place}</th>
                <td className="number">{count(foundBefore)}</td>
                <td className="number">{count(left)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
