type Props = { label: string; value: string; change: (value: string) => void };

export function FilterField({ label, value, change }: Props) {
  return (
    <label className="filter">
      <span className="sr-only">{label}</span>
      <input
        type="search"
        data-filter
        placeholder={label}
        value={value}
        onChange={(event) => change(event.target.value)}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}
