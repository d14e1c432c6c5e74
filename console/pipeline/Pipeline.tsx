import { use } from 'react';
import type { Pipeline as Answer } from '#console/api.ts';
import { useLive } from '#console/pipeline/live.ts';
import { StepsTable } from '#console/pipeline/StepsTable.tsx';
import { Empty } from '#console/shell/Fallback.tsx';
import type { Screen } from '#console/shell/routes.ts';
import { Spark } from '#console/shell/Spark.tsx';
import { Ago, count, length, many, shortCount } from '#console/shell/words.tsx';

type Asked = { answer: Promise<Answer>; stream: string };

export const pipelineScreen: Screen<Asked> = {
  load: (api, service) => ({
    answer: api.pipeline(service),
    stream: api.pipelineStream(service),
  }),
  Component: PipelineScreen,
};

function PipelineScreen({ answer, stream, service }: Asked & { service: string }) {
  const { pipeline, connected } = useLive(stream, use(answer));
  const dropped = sumOf(pipeline.drops.filter(({ step }) => step !== null));
  return (
    <>
      <div className="list-head">
        <p className="lead">
          {pipeline.received === 0 ? (
            'No event has come in since the server started.'
          ) : (
            <>
              {count(pipeline.received)} events came in, {count(pipeline.accepted)} were kept and{' '}
              {count(dropped)} dropped, each for a reason that is counted.
            </>
          )}{' '}
          <span className="muted">
            Since <Ago at={pipeline.since} />.
            {pipeline.verification > 0 &&
              ` Another ${many(pipeline.verification, 'event')} came from proofs and count nowhere here.`}
          </span>{' '}
          <span className={connected ? 'live' : 'live off'}>
            {connected ? '● live' : '○ the stream is down; these are the last figures'}
          </span>
        </p>
      </div>
      <Figures pipeline={pipeline} dropped={dropped} />
      {pipeline.received === 0 ? (
        <NothingYet service={service} />
      ) : (
        <div className="pipeline">
          <StepsTable pipeline={pipeline} />
          <section aria-labelledby="drops">
            <h2 id="drops">Why events were dropped</h2>
            <Reasons drops={pipeline.drops.filter(({ step }) => step !== null)} counted="Events" />
            <h2>What was cut from events that were kept</h2>
            <Reasons drops={pipeline.drops.filter(({ step }) => step === null)} counted="Fields" />
          </section>
        </div>
      )}
    </>
  );
}

function Figures({ pipeline, dropped }: { pipeline: Answer; dropped: number }) {
  const { perSecond, inbox } = pipeline;
  const setAside = inbox.stuck.reduce((sum, { rows }) => sum + rows, 0);
  const now = perSecond.at(-1);
  return (
    <dl className="figures">
      <div>
        <dt>accepted</dt>
        <dd>
          {shortCount(pipeline.accepted)}
          <Spark
            values={perSecond.map(({ accepted }) => accepted)}
            label="events accepted a second"
          />
          <small>{count(now?.accepted ?? 0)} a second now</small>
        </dd>
      </div>
      <div>
        <dt>dropped</dt>
        <dd>
          {shortCount(dropped)}
          <Spark values={perSecond.map((at) => at.dropped)} label="events dropped a second" />
          <small>
            {pipeline.received ? `${((dropped / pipeline.received) * 100).toFixed(1)} %` : 'none'}
          </small>
        </dd>
      </div>
      <div>
        <dt>waiting in the inbox</dt>
        <dd>
          {count(inbox.rows)}
          <small>
            {inbox.rows === 0 || inbox.lagMs === null
              ? 'everything acknowledged can be queried'
              : `${many(inbox.rows, 'batch', 'batches')}, the oldest for ${length(inbox.lagMs)}`}
            {setAside > 0 && (
              <b className="state-broken">
                {' '}
                ▲ {many(setAside, 'row')} that the event store refuses
              </b>
            )}
          </small>
        </dd>
      </div>
    </dl>
  );
}

type Drop = Answer['drops'][number];

const sumOf = (drops: readonly Drop[]) => drops.reduce((sum, { events }) => sum + events, 0);

function Reasons({ drops, counted }: { drops: readonly Drop[]; counted: string }) {
  const all = sumOf(drops);
  const shown = drops.filter(({ events }) => events > 0).toSorted((a, b) => b.events - a.events);
  if (shown.length === 0)
    return <p className="muted">{counted === 'Events' ? 'None was.' : 'Nothing.'}</p>;
  return (
    <table className="drops">
      <thead>
        <tr>
          <th scope="col">Reason</th>
          <th scope="col" className="number">
            {counted}
          </th>
          <th scope="col" className="number">
            Share
          </th>
        </tr>
      </thead>
      <tbody>
        {shown.map(({ reason, says, step, events }) => (
          <tr key={`${reason} ${step}`}>
            <th scope="row">
              <code>{reason}</code>
              <span className="muted">{says}</span>
            </th>
            <td className="number">{count(events)}</td>
            <td className="number">{((events / all) * 100).toFixed(0)} %</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const NothingYet = ({ service }: { service: string }) => (
  <Empty title="Nothing has come in">
    <p>
      Start a recorded day of events with <code>npm run demo</code>, or send one to{' '}
      <code>POST /v1/t/{service}/batch</code> with the write key that the server printed.
    </p>
  </Empty>
);
