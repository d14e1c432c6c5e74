import { memo, Suspense, use, useState } from 'react';
import type { Api, Promised, Prose } from '#console/api.ts';
import { linesOf } from '#console/promises/lines.ts';
import { RunNow } from '#console/promises/RunNow.tsx';
import { Strip } from '#console/promises/Strip.tsx';
import { reveal } from '#console/shell/reveal.ts';
import { StateMark } from '#console/shell/State.tsx';
import { Ago, length } from '#console/shell/words.tsx';

type Props = {
  promise: Promised;
  prose: Promise<Prose>;
  days: ReturnType<Api['days']>;
  /** How to look now; null for who is no operator. */
  run: { api: Api; service: string } | null;
  open: boolean;
  toggle: (id: string) => void;
};

/**
 * The heart of the product is one row: the sentence of the policy, and beside it what keeps it,
 * and what was last seen. Opened, it shows the control, the proof and the sentence in its place.
 */
export const PromiseRow = memo(
  function PromiseRow({ promise: asked, prose, days, run, open, toggle }: Props) {
    const [changed, setChanged] = useState<Partial<Promised>>({});
    const promise = { ...asked, ...changed };
    const { id, state, says, line } = promise;
    const panel = `about-${id}`;
    return (
      <li
        className={`promise${open ? ' open' : ''}`}
        id={id}
        data-row
        ref={open ? reveal : undefined}
      >
        <div className="promise-row">
          <span className="promise-line" title={line ? `line ${line} of the policy` : undefined}>
            {line}
          </span>
          <button
            type="button"
            className="quote"
            aria-expanded={open}
            aria-controls={open ? panel : undefined}
            onClick={() => toggle(id)}
          >
            {says}
          </button>
          <span className="promise-by">
            <Keeper promise={promise} />
          </span>
          <span className="promise-found">
            <StateMark state={state} /> <Found promise={promise} />
          </span>
          <span className="promise-strip">
            <Suspense fallback={null}>
              <Strip id={id} days={days} />
            </Suspense>
          </span>
          <code className="promise-id">{id}</code>
        </div>
        {open && (
          <div className="promise-open" id={panel}>
            <div>
              <About promise={promise} />
              {run && <RunNow {...run} id={id} found={setChanged} />}
            </div>
            <Suspense fallback={null}>
              <InContext promise={promise} prose={prose} />
            </Suspense>
          </div>
        )}
      </li>
    );
  },
  (before, after) =>
    before.promise === after.promise &&
    before.open === after.open &&
    before.prose === after.prose &&
    before.days === after.days,
);

/** What stands behind a promise: a control, a value of the document, or a person's word. */
function Keeper({ promise }: { promise: Promised }) {
  const { control, config, attest } = promise;
  if (control) return <code>{control}</code>;
  if (config) return <code>{config}</code>;
  if (attest) return <>attested by {attest.owner}</>;
  return <span className="muted">bound to nothing</span>;
}

function Found({ promise }: { promise: Promised }) {
  const { saw, reason, provenAt } = promise;
  return (
    <span className="found">
      {saw ?? reason}
      {provenAt && (
        <>
          {' · '}
          <Ago at={provenAt} />
        </>
      )}
    </span>
  );
}

const PROBES = {
  'stored-bytes': 'reading the stored bytes',
  protocol: 'speaking the protocol as a stranger would',
  api: 'asking the interface from outside',
  configuration: 'comparing configured values',
} as const;

function About({ promise }: { promise: Promised }) {
  return (
    <dl className="about">
      {promise.means && <Term name="Demands">{promise.means}</Term>}
      <Keeping promise={promise} />
      <Proving promise={promise} />
    </dl>
  );
}

/** What keeps the promise. */
function Keeping({ promise }: { promise: Promised }) {
  const { control, controlTitle, config, attest } = promise;
  const parameters = Object.entries(promise.with ?? {});
  return (
    <>
      {control && (
        <Term name="Kept by">
          <code>{control}</code> {controlTitle && <span className="muted">{controlTitle}</span>}
          {parameters.length > 0 && (
            <ul className="parameters">
              {parameters.map(([name, value]) => (
                <li key={name}>
                  <code>{name}</code>{' '}
                  {typeof value === 'string' ? value : <code>{JSON.stringify(value)}</code>}
                </li>
              ))}
            </ul>
          )}
        </Term>
      )}
      {config && (
        <Term name="Says">
          the value of <code>{config}</code> in the policy
        </Term>
      )}
      {attest && (
        <Term name="Attested by">
          {attest.owner}
          {attest.what && `: ${attest.what}`}, to be renewed every {attest.renew}
        </Term>
      )}
    </>
  );
}

/** What looked at it, what it saw, and what it cannot see. */
function Proving({ promise }: { promise: Promised }) {
  const { probe, provenAt, reason, saw, blindTo, since, tookMs, state } = promise;
  return (
    <>
      {probe && <Term name={provenAt ? 'Proven by' : 'To be proven by'}>{PROBES[probe]}</Term>}
      <Term name="Last proof">
        {provenAt ? (
          <>
            <Ago at={provenAt} />
            {tookMs !== null && <span className="muted">, in {length(tookMs)}</span>}
          </>
        ) : (
          'none has run'
        )}
      </Term>
      {saw !== null && <Term name="It saw">{saw}</Term>}
      {blindTo && <Term name="Cannot see">{blindTo}</Term>}
      {since && (
        <Term name="Since">
          {state}, <Ago at={since} />
        </Term>
      )}
      {reason && reason !== saw && <Term name="Why this state">{reason}</Term>}
    </>
  );
}

const Term = ({ name, children }: { name: string; children: React.ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

function InContext({ promise, prose }: { promise: Promised; prose: Promise<Prose> }) {
  const { file, lines } = use(prose);
  const around = linesOf(promise.line, lines);
  if (around.length === 0) return null;
  return (
    <figure className="in-context">
      <blockquote>
        {around.map(({ number, text, quoted }) => (
          <p key={number} className={quoted ? 'quoted' : undefined}>
            <span className="number">{number}</span>
            <span>
              <Marked text={text} quote={quoted ? promise.says : ''} />
            </span>
          </p>
        ))}
      </blockquote>
      <figcaption>{file}, as published</figcaption>
    </figure>
  );
}

function Marked({ text, quote }: { text: string; quote: string }) {
  const at = quote ? text.indexOf(quote) : -1;
  if (at < 0) return text;
  return (
    <>
      {text.slice(0, at)}
      <mark>{quote}</mark>
      {text.slice(at + quote.length)}
    </>
  );
}
