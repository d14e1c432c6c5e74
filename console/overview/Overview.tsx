import type { Counts, Flow, State, TenantSummary, Tenants } from '#console/api.ts';
import { Empty } from '#console/shell/Fallback.tsx';
import { Link } from '#console/shell/Link.tsx';
import { pathOf } from '#console/shell/routes.ts';
import { Spark } from '#console/shell/Spark.tsx';
import { CountsBar, countsInWords, STATES, totalOf } from '#console/shell/State.tsx';
import { count, day, many, shortCount } from '#console/shell/words.tsx';

const sum = (tenants: readonly TenantSummary[]): Counts => {
  const total: Counts = { kept: 0, broken: 0, gap: 0, attested: 0 };
  for (const { counts } of tenants)
    for (const state of Object.keys(total) as (keyof Counts)[]) total[state] += counts[state];
  return total;
};

/** One sentence that says how things stand. A gap is said as a gap. */
function verdict(counts: Counts): string {
  if (counts.broken > 0) return `${many(counts.broken, 'promise is', 'promises are')} broken.`;
  const all = totalOf(counts);
  if (counts.gap === all) return 'No promise has been proven yet.';
  if (counts.gap > 0) return `None is seen broken; ${many(counts.gap, 'gap')} cannot be judged.`;
  return 'Every promise is kept.';
}

export function Overview({ answer }: { answer: Tenants }) {
  const { tenants, operator } = answer;
  const counts = sum(tenants);
  if (tenants.length === 0)
    return (
      <Empty wholePage title="No policy is in force">
        <p>
          Nothing is collected. Put a policy in force with <code>npm run troth apply</code>.
        </p>
      </Empty>
    );
  return (
    <>
      <title>Troth</title>
      <div className="overview-head">
        <h1>{verdict(counts)}</h1>
        <p>
          {many(totalOf(counts), 'promise')} in {many(tenants.length, 'policy', 'policies')}:{' '}
          {countsInWords(counts)}.
        </p>
      </div>
      <ul className="services" aria-label="Services">
        {tenants.map((tenant) => (
          <ServiceLine key={tenant.id} tenant={tenant} operator={operator} />
        ))}
      </ul>
      <dl className="legend">
        {STATES.map(({ id, shape, word }) => (
          <div key={id}>
            <dt className={`state-${id}`}>
              <span className="shape" aria-hidden="true">
                {shape}
              </span>{' '}
              {word}
            </dt>
            <dd>{MEANINGS[id]}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

const MEANINGS: Record<State, string> = {
  kept: 'A proof looked, and saw the promise kept.',
  broken: 'A proof looked, and saw something else.',
  gap: 'Nobody can say: not built, not configured, or no proof has looked yet. Never shown as green.',
  attested: 'A named person signed for it, with a document on file that expires.',
};

function ServiceLine({ tenant, operator }: { tenant: TenantSummary; operator: boolean }) {
  const { id, service, title, version, effective, counts, flow } = tenant;
  return (
    <li className="service" data-row>
      <div className="service-name">
        <h2>
          <Link href={pathOf(id)}>{service}</Link>
        </h2>
        <p className="quote">{title}</p>
        <p className="imprint">
          version {version} · since {day(effective)}
        </p>
      </div>
      <div className="service-counts">
        <CountsBar counts={counts} />
        <FindingsLine tenant={tenant} />
      </div>
      <div className="service-flow">
        {flow ? <FlowLine id={id} flow={flow} /> : <NoFlow operator={operator} />}
      </div>
    </li>
  );
}

function FindingsLine({ tenant }: { tenant: TenantSummary }) {
  const { open, resolved, notes } = tenant.findings;
  const words =
    open + resolved + notes === 0
      ? 'The linter found nothing'
      : open === 0
        ? `${many(resolved, 'finding')}, each resolved by a decision`
        : `${count(open)} of ${many(open + resolved, 'finding')} open`;
  return (
    <p className="aside-line">
      <Link href={pathOf(tenant.id, 'findings')}>{words}</Link> ·{' '}
      <Link href={pathOf(tenant.id, 'data')}>{many(tenant.dataTypes, 'data type')}</Link> for{' '}
      {many(tenant.purposes, 'purpose')}
    </p>
  );
}

function FlowLine({ id, flow }: { id: string; flow: Flow }) {
  const events = flow.received || flow.accepted + flow.dropped;
  return (
    <Link href={pathOf(id, 'pipeline')} className="flow">
      <Spark values={flow.perSecond} label="events accepted in each of the last seconds" />
      {events === 0 ? (
        <span className="muted">No event has come in yet</span>
      ) : (
        <span>
          <b>{shortCount(flow.accepted)}</b> events in
          {flow.dropped > 0 && <> · {shortCount(flow.dropped)} dropped</>}
        </span>
      )}
    </Link>
  );
}

const NoFlow = ({ operator }: { operator: boolean }) => (
  <p className="muted">
    {operator ? 'No event has come in yet' : 'Live figures want the operator’s link'}
  </p>
);
