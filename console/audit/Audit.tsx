import { use, useState } from 'react';
import type { Api, AuditLog } from '#console/api.ts';
import {
  type Checked,
  checkEntry,
  checkpointOf,
  type Entry,
  isSigned,
} from '#console/audit/proof.ts';
import { Empty, ForOperator, type OperatorOnly, orOperatorOnly } from '#console/shell/Fallback.tsx';
import type { Screen } from '#console/shell/routes.ts';
import { Ago, count, Hash, many } from '#console/shell/words.tsx';

const SHOWN = 50;

type Loaded = { log: AuditLog; publicKey: string; signed: boolean; checks: Map<number, Checked> };
type Asked = { api: Api; loaded: Promise<Loaded | OperatorOnly> };

/** Entries newest first, each checked here before it is shown. */
async function load(api: Api, service: string, before?: number): Promise<Loaded> {
  const { size } = await api.audit(service, -1, 0);
  const end = Math.min(before ?? size, size);
  const log = await api.audit(service, Math.max(-1, end - SHOWN - 1), Math.min(SHOWN, end));
  const publicKey = (await api.publicKeys()).keys[0]?.x ?? '';
  const note = log.checkpoint ?? '';
  const checkpoint = checkpointOf(note);
  const checks = new Map<number, Checked>();
  if (checkpoint)
    for (const entry of log.entries) checks.set(entry.index, await checkEntry(entry, checkpoint));
  return { log, publicKey, checks, signed: await isSigned(note, publicKey).catch(() => false) };
}

export const auditScreen: Screen<Asked> = {
  load: (api, service) => ({ api, loaded: orOperatorOnly(load(api, service)) }),
  Component: Audit,
};

function Audit({ api, service, loaded }: Asked & { service: string }) {
  const [page, setPage] = useState(loaded);
  const now = use(page);
  if (now === 'operator-only') return <ForOperator title="The audit log is for the operator" />;
  const { log, signed, checks, publicKey } = now;
  if (log.entries.length === 0)
    return (
      <Empty title="Nothing has happened yet">
        <p>Every act that is committed, and every refusal, will stand here.</p>
      </Empty>
    );
  const wrong = [...checks.values()].filter(({ ok }) => !ok).length;
  const first = log.entries[0]?.index ?? 0;
  return (
    <>
      <div className="list-head">
        <p className="lead">
          <span className={signed && wrong === 0 ? 'state-kept' : 'state-broken'}>
            <span className="shape" aria-hidden="true">
              {signed && wrong === 0 ? '●' : '▲'}
            </span>{' '}
            {verdictOf(signed, wrong, log.entries.length)}
          </span>{' '}
          <span className="muted">
            {many(log.size, 'entry', 'entries')} in the tree. Checked in this browser, against key{' '}
            <Hash value={publicKey} />.
          </span>
        </p>
        <p className="report-links">
          <a href={`/v1/t/${service}/audit/export`} download>
            The whole log as a file
          </a>
        </p>
      </div>
      <ol className="audit" aria-label="Audit entries, newest first">
        {log.entries.toReversed().map((entry) => (
          <Line key={entry.index} entry={entry} check={checks.get(entry.index)} />
        ))}
      </ol>
      {first > 0 && (
        <p>
          <button type="button" onClick={() => setPage(orOperatorOnly(load(api, service, first)))}>
            Earlier entries
          </button>
        </p>
      )}
    </>
  );
}

function verdictOf(signed: boolean, wrong: number, shown: number): string {
  if (!signed) return 'The head of this log is not signed by the key of this installation.';
  if (wrong > 0) return `${many(wrong, 'entry is', 'entries are')} not what was signed.`;
  return `Each of these ${count(shown)} entries is in the tree that was signed.`;
}

type Body = {
  at: string;
  kind: string;
  event: string;
  actorKind: string;
  actorId: string;
  action: string;
  subject: string | null;
  fields: Record<string, string | number | boolean>;
};

function Line({ entry, check }: { entry: Entry; check: Checked | undefined }) {
  const body = entry.leaf === null ? null : (JSON.parse(entry.leaf) as Body);
  const fields = Object.entries(body?.fields ?? {})
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
  return (
    <li className="audit-line" data-row>
      <span className="audit-index">{count(entry.index)}</span>
      <span>{body ? <Ago at={body.at} /> : <span className="muted">cut off</span>}</span>
      <span>
        <code>{body?.event ?? '—'}</code>{' '}
        {body?.kind === 'refusal' && <b className="state-broken">refused</b>}
        {fields && <span className="muted"> {fields}</span>}
      </span>
      <span className="muted">
        {body && `${body.actorKind} ${body.actorId}`}
        {body?.subject && (
          <>
            {' '}
            about <Hash value={body.subject} />
          </>
        )}
      </span>
      <span className={check?.ok ? 'state-kept' : 'state-broken'} title={check?.says}>
        <span className="shape" aria-hidden="true">
          {check?.ok ? '●' : '▲'}
        </span>{' '}
        {check?.says}
      </span>
    </li>
  );
}
