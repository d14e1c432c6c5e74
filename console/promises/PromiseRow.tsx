import { memo, Suspense, use } from 'react';
import type { Promised, Prose } from '#console/api.ts';
import { linesOf } from '#console/promises/lines.ts';
import { reveal } from '#console/shell/reveal.ts';
import { StateMark } from '#console/shell/State.tsx';
import { Ago } from '#console/shell/words.tsx';

type Props = {
  promise: Promised;
  prose: Promise<Prose>;
  open: boolean;
  toggle: (id: string) => void;
};

/**
 * The heart of the product is one row: the sentence of the policy, and beside it what keeps it,
 * and what was last seen. Opened, it shows the control, the proof and the sentence in its place.
 */
export const PromiseRow = memo(
  function PromiseRow({ promise, prose, open, toggle }: Props) {
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
          <code className="promise-id">{id}</code>
        </div>
        {open && (
          <div className="promise-open" id={panel}>
            <About promise={promise} />
            <Suspense fallback={null}>
              <InContext promise={promise} prose={prose} />
            </Suspense>
          </div>
        )}
      </li>
    );
  },
  (before, after) =>
    before.promise === after.promise && before.open === after.open && before.prose === after.prose,
);

/** What stands behind a promise: a control, a value of the document, or a person's word. */
function Keeper({ promise }: { promise: Promised }) {
  const { control, config, attest } = promise;
  if (control) return <code>{control}</code>;
  if (config) return <code>{config}</code>;
  if (attest) return <>attested by {attest.owner}</>;
  return <span className="muted">bound to nothing</span>;
}

function seen(saw: Promised['saw']): string | null {
  if (saw === null || typeof saw === 'string') return saw;
  return Object.entries(saw)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}

function Found({ promise }: { promise: Promised }) {
  const { saw, reason, provenAt } = promise;
  return (
    <span className="found">
      {seen(saw) ?? reason}
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
  'stored-bytes': 'reads the stored bytes',
  protocol: 'speaks the protocol as a stranger would',
  api: 'asks the API from outside',
  configuration: 'compares the configuration',
} as const;

function About({ promise }: { promise: Promised }) {
  const { means, control, controlTitle, config, attest, probe, provenAt, reason, saw } = promise;
  const parameters = Object.entries(promise.with ?? {});
  return (
    <dl className="about">
      {means && <Term name="Demands">{means}</Term>}
      {control && (
        <Term name="Bound to">
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
      {probe && (
        <Term name={provenAt ? 'Proven by' : 'Its proof'}>
          {provenAt ? '' : 'one that '}
          {PROBES[probe]}
        </Term>
      )}
      <Term name="Last proof">{provenAt ? <Ago at={provenAt} /> : 'none has run'}</Term>
      {saw !== null && <Term name="It saw">{seen(saw)}</Term>}
      {reason && <Term name="Why this state">{reason}</Term>}
    </dl>
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
