import { use } from 'react';
import type { Promises as Answer, Api, Promised, Prose } from '#console/api.ts';
import { PromiseRow } from '#console/promises/PromiseRow.tsx';
import { FilterField } from '#console/shell/FilterField.tsx';
import { Kind } from '#console/shell/Kind.tsx';
import type { Screen } from '#console/shell/routes.ts';
import { CountsBar, STATES, totalOf } from '#console/shell/State.tsx';
import { useFilter } from '#console/shell/useFilter.ts';
import { many } from '#console/shell/words.tsx';

type Asked = {
  api: Api;
  answer: Promise<Answer>;
  prose: Promise<Prose>;
  days: ReturnType<Api['days']>;
  operator: Promise<boolean>;
};

export const promisesScreen: Screen<Asked> = {
  load: (api, service) => ({
    api,
    answer: api.promises(service),
    prose: proseOf(api, service),
    days: api.days(service).catch(() => new Map()),
    operator: api.tenants().then(({ operator }) => operator),
  }),
  Component: Promises,
};

/** Without its prose a promise is still a promise: the quote stands alone. */
const proseOf = (api: Api, service: string) =>
  api.prose(service).catch((): Prose => ({ file: '', lines: [] }));

const textOf = ({ id, says, control, means, reason, config }: Promised) =>
  [id, says, control, means, reason, config].join(' ');

function Promises({ api, service, answer, prose, days, operator }: Asked & { service: string }) {
  const { counts, promises } = use(answer);
  const isOperator = use(operator);
  const filter = useFilter();
  const { query, change, typed, fits, kind } = filter;
  const opened = query.get('open');
  const shown = promises.filter(
    (promise) => (!kind || promise.state === kind) && fits(textOf(promise)),
  );
  const toggle = (id: string) => change({ open: opened === id ? null : id });

  return (
    <>
      <div className="list-head">
        <CountsBar counts={counts} numbers={false} />
        <div className="list-tools">
          <fieldset className="kinds">
            <legend className="sr-only">Show only</legend>
            <Kind on={!kind} choose={() => change({ state: null })}>
              all <b>{totalOf(counts)}</b>
            </Kind>
            {STATES.map(({ id, shape, word, plural }) => (
              <Kind key={id} on={kind === id} choose={() => change({ state: id })}>
                <span className={`shape state-${id}`} aria-hidden="true">
                  {shape}
                </span>{' '}
                {counts[id] === 1 ? word : plural} <b>{counts[id]}</b>
              </Kind>
            ))}
          </fieldset>
          <p className="report-links">
            <a href={`/v1/t/${service}/report.html`}>Evidence report</a>{' '}
            <a href={`/v1/t/${service}/report.json`} download>
              signed file
            </a>
          </p>
          <FilterField label="Filter promises" filter={filter} />
        </div>
      </div>
      <p className="sr-only" role="status">
        {many(shown.length, 'promise')} shown
      </p>
      <ol className="promises" aria-label="Promises, in the order of the policy">
        {shown.map((promise) => (
          <PromiseRow
            key={promise.id}
            promise={promise}
            prose={prose}
            days={days}
            run={isOperator ? { api, service } : null}
            open={opened === promise.id}
            toggle={toggle}
          />
        ))}
      </ol>
      {shown.length === 0 && (
        <p className="empty-line">
          {typed || kind ? 'No promise fits this filter.' : 'This policy promises nothing.'}
        </p>
      )}
    </>
  );
}
