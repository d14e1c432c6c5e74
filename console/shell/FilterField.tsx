type Props = { label: string; value: string; change: (value: string) => void };

export function FilterField({ label, value, change }: Props) {
  return (
    <div className="filter">
      <input
        type="search"
        aria-label={label}
        data-filter
        placeholder={label}
        value={value}
        onChange={(event) => change(event.target.value)}
      />
      <span className="filter-key" aria-hidden="true">
        /
      </span>
    </div>
  );
}
