import type { TenantSummary } from '#console/api.ts';
import { Link } from '#console/shell/Link.tsx';
import { type Place, pathOf } from '#console/shell/routes.ts';

type Props = {
  tenants: TenantSummary[];
  place: Place;
  operator: boolean;
  ask: (dialog: 'palette' | 'keys') => void;
};

export function Masthead({ tenants, place, operator, ask }: Props) {
  const here = place.name === 'service' ? place : null;
  return (
    <header className="masthead">
      <Link href="/" className="wordmark" aria-current={place.name === 'overview' || undefined}>
        Troth
      </Link>
      <nav aria-label="Services">
        {tenants.map(({ id, service, counts }) => (
          <Link
            key={id}
            href={pathOf(id, here?.screen)}
            aria-current={here?.service === id ? 'page' : undefined}
          >
            {service}
            {counts.broken > 0 && <span className="state-broken"> ▲ {counts.broken}</span>}
          </Link>
        ))}
      </nav>
      <div className="masthead-tools">
        <span className="who">{operator ? 'operator' : 'public view'}</span>
        <button type="button" onClick={() => ask('palette')}>
          Go to <kbd>Ctrl K</kbd>
        </button>
        <button type="button" aria-label="Keys" onClick={() => ask('keys')}>
          <kbd>?</kbd>
        </button>
      </div>
    </header>
  );
}
