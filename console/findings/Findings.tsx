import { use } from 'react';
import type { Findings as Answer, Finding, Severity } from '#console/api.ts';
import { Empty } from '#console/shell/Fallback.tsx';
import { FilterField } from '#console/shell/FilterField.tsx';
import { Kind } from '#console/shell/Kind.tsx';
import { Link } from '#console/shell/Link.tsx';
import { pathOf, type Screen } from '#console/shell/routes.ts';
import { useFilter } from '#console/shell/useFilter.ts';
import { day, many } from '#console/shell/words.tsx';

type Asked = { answer: Promise<Answer> };

export const findingsScreen: Screen<Asked> = {
  load: (api, service) => ({ answer: api.findings(service) }),
  Component: Findings,
};

const SHAPES: Record<Severity, string> = { error: '▲', warning: '◣', note: '·' };

const textOf = ({ code, message, promises, resolution }: Finding) =>
  [code, message, ...promises, resolution?.decision, resolution?.because].join(' ');

/** The sentence without the marks of a list, a title or a table. */
const sentenceOf = (line: string) => line.replaceAll(/^[\s#>*|-]+|[\s|]+$/g, '');

/** A note wants no decision, so it is neither open nor resolved. */
const kindOf = ({ state, severity }: Finding) =>
  state === 'open' && severity === 'note' ? 'note' : state;

function Findings({ answer, service }: Asked & { service: string }) {
  const { findings, counts } = use(answer);
  const filter = useFilter();
  const { change, fits, kind } = filter;
  const shown = findings.filter((one) => (!kind || kindOf(one) === kind) && fits(textOf(one)));
  if (findings.length === 0)
    return (
      <Empty title="The linter found nothing">
        <p>No contradiction, no placeholder and no claim that cannot be true.</p>
      </Empty>
    );
  const kinds = [
    [null, 'all', findings.length],
    ['open', 'open', counts.open],
    ['resolved', 'resolved', counts.resolved],
    ['note', 'notes', counts.notes],
  ] as const;
  return (
    <>
      <div className="list-head">
        <p className="lead">
          {counts.open === 0
            ? `${many(counts.resolved, 'sentence')} could not be true as written, or said too little. Each is resolved by a recorded decision.`
            : `${many(counts.open, 'finding')} still open. An open error keeps a policy from being put in force.`}
        </p>
        <div className="list-tools">
          <fieldset className="kinds">
            <legend className="sr-only">Show only</legend>
            {kinds.map(([id, label, number]) => (
              <Kind key={label} on={kind === id} choose={() => change({ state: id })}>
                {label} <b>{number}</b>
              </Kind>
            ))}
          </fieldset>
          <FilterField label="Filter findings" filter={filter} />
        </div>
      </div>
      <ol className="findings" aria-label="Findings of the linter">
        {shown.map((finding) => (
          <FindingLine
            key={`${finding.code} ${finding.line} ${finding.column} ${finding.promises.join()}`}
            finding={finding}
            service={service}
          />
        ))}
      </ol>
      {shown.length === 0 && <p className="empty-line">No finding fits this filter.</p>}
    </>
  );
}

function FindingLine({ finding, service }: { finding: Finding; service: string }) {
  const { code, severity, message, promises, resolution, state, file, line } = finding;
  return (
    <li className="finding" data-row tabIndex={-1}>
      <div className="finding-what">
        <p className={`severity severity-${severity}`}>
          <span aria-hidden="true">{SHAPES[severity]}</span> {severity} <code>{code}</code>
        </p>
        {finding.quote && <p className="quote">{sentenceOf(finding.quote.text)}</p>}
        <p className="finding-message">{message}</p>
        {finding.expected && <p className="muted">Expected: {finding.expected}</p>}
        {finding.example && (
          <p className="muted">
            For example <code>{finding.example}</code>
          </p>
        )}
        <p className="finding-where">
          <code>
            {file}:{line}
          </code>
          {promises.map((id) => (
            <Link key={id} className="promise-link" href={`${pathOf(service)}?q=${id}&open=${id}`}>
              {id}
            </Link>
          ))}
        </p>
      </div>
      <div className="finding-resolution">
        {resolution ? (
          <>
            <p className="resolved">
              <span aria-hidden="true">✓</span> {state}
              {resolution.on && <> · {day(resolution.on)}</>}
            </p>
            <p className="decision">{resolution.decision}</p>
            <p className="muted">{resolution.because}</p>
          </>
        ) : severity === 'note' ? (
          <p className="muted">A note; it asks for no decision.</p>
        ) : (
          <p className="state-gap">○ open: no decision is recorded</p>
        )}
      </div>
    </li>
  );
}
