import type { TenantSummary } from '#console/api.ts';
import { Link } from '#console/shell/Link.tsx';
import { pathOf, SERVICE_SCREENS, type ServiceScreen } from '#console/shell/routes.ts';
import { totalOf } from '#console/shell/State.tsx';
import { count, day, Hash } from '#console/shell/words.tsx';

type Props = { tenant: TenantSummary; screen: ServiceScreen };

/** Whose policy this is, which revision is in force, and the way to each of its screens. */
export function ServiceHead({ tenant, screen }: Props) {
  const { findings } = tenant;
  const numbers: Partial<Record<ServiceScreen, number>> = {
    promises: totalOf(tenant.counts),
    findings: findings.open + findings.resolved + findings.notes,
    data: tenant.dataTypes,
  };
  const label = SERVICE_SCREENS.find(({ id }) => id === screen)?.label;
  return (
    <div className="service-head">
      <title>{`${label} · ${tenant.service} · Troth`}</title>
      <h1>
        {tenant.service} <span className="policy-title">{tenant.title}</span>
      </h1>
      <p className="imprint">
        version {tenant.version} · in force since {day(tenant.effective)} · revision{' '}
        {tenant.revision} · <Hash value={tenant.hash} />
      </p>
      <nav aria-label={`Screens of ${tenant.service}`} className="tabs">
        {SERVICE_SCREENS.map(({ id, label }) => (
          <Link
            key={id}
            href={pathOf(tenant.id, id)}
            className="tab"
            aria-current={id === screen ? 'page' : undefined}
          >
            {label}
            {numbers[id] !== undefined && <span className="tab-count"> {count(numbers[id])}</span>}
          </Link>
        ))}
      </nav>
    </div>
  );
}
