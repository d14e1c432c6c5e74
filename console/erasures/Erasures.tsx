import { Suspense, use, useState } from 'react';
import type { Api, ErasureDetail, ErasureSummary } from '#console/api.ts';
import { Ask } from '#console/erasures/Ask.tsx';
import { Timeline } from '#console/erasures/Timeline.tsx';
import { ForOperator, type OperatorOnly, orOperatorOnly } from '#console/shell/Fallback.tsx';
import { useQuery } from '#console/shell/navigation.ts';
import type { Screen } from '#console/shell/routes.ts';
import { Ago, many } from '#console/shell/words.tsx';

type Asked = { api: Api; list: Promise<ErasureSummary[] | OperatorOnly> };

const listOf = (api: Api, service: string): Asked['list'] => orOperatorOnly(api.erasures(service));

export const erasuresScreen: Screen<Asked> = {
  load: (api, service) => ({ api, list: listOf(api, service) }),
  Component: Erasures,
};

/** What each state means to whoever waits for it. */
const SAYS: Record<ErasureSummary['state'], string> = {
  recorded: 'asked for; hidden in a moment',
  held: 'held: a published ground stands against it',
  hidden: 'hidden; it can be undone until its date',
  shredded: 'the key is gone; rows are being deleted',
  deleted: 'rows are gone; the disk is being searched',
  done: 'done, with a certificate',
  undone: 'undone',
};

const shapeOf = ({ state }: ErasureSummary) =>
  state === 'done' ? (['kept', '●'] as const) : (['gap', '○'] as const);

function Erasures({ api, service, list }: Asked & { service: string }) {
  const [shown, setShown] = useState(list);
  const [query, change] = useQuery();
  const erasures = use(shown);
  if (erasures === 'operator-only') return <ForOperator title="Erasures are for the operator" />;
  const opened = query.get('open');
  const again = (id: string) => {
    api.forget();
    setShown(listOf(api, service));
    change({ open: id });
  };
  return (
    <>
      <Ask api={api} service={service} asked={again} />
      <p className="lead">
        {erasures.length === 0
          ? 'Nobody has been erased yet.'
          : `${many(erasures.length, 'erasure')}, the latest first.`}
      </p>
      <ol className="erasures" aria-label="Erasures">
        {erasures.map((one) => (
          <li key={one.id} className={`erasure${opened === one.id ? ' open' : ''}`} data-row>
            <button
              type="button"
              className="erasure-line"
              aria-expanded={opened === one.id}
              onClick={() => change({ open: opened === one.id ? null : one.id })}
            >
              <code>{one.id.slice(0, 8)}</code>
              <span className={`state-${shapeOf(one)[0]}`}>
                <span className="shape" aria-hidden="true">
                  {shapeOf(one)[1]}
                </span>{' '}
                {SAYS[one.state]}
              </span>
              <span className="muted">
                asked <Ago at={one.requestedAt} />
                {one.trouble && `; does not get on: ${one.trouble}`}
              </span>
            </button>
            {opened === one.id && (
              <Suspense fallback={<p className="muted">Reading the ledger …</p>}>
                <Detail answer={api.erasure(service, one.id)} service={service} />
              </Suspense>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}

function Detail({ answer, service }: { answer: Promise<ErasureDetail>; service: string }) {
  const erasure = use(answer);
  const file = `/v1/t/${service}/erasures/${erasure.id}/certificate`;
  return (
    <div className="erasure-open">
      <Timeline erasure={erasure} />
      {erasure.state === 'done' && (
        <p>
          <a href={file} download>
            The signed certificate
          </a>{' '}
          <span className="muted">
            to be checked anywhere with <code>npm run troth -- verify FILE --key troth.pub</code>
          </span>
        </p>
      )}
    </div>
  );
}
