import type { useFilter } from '#console/shell/useFilter.ts';

type Props = { label: string; filter: Pick<ReturnType<typeof useFilter>, 'typed' | 'change'> };

export function FilterField({ label, filter: { typed, change } }: Props) {
  return (
    <div className="filter">
      <input
        type="search"
        aria-label={label}
        data-filter
        placeholder={label}
        value={typed}
        onChange={(event) => change({ q: event.target.value })}
      />
      <span className="filter-key" aria-hidden="true">
        /
      </span>
    </div>
  );
}
