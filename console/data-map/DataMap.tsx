import { use } from 'react';
import type { DataMap as Answer, DataType } from '#console/api.ts';
import { AgeStrip } from '#console/data-map/AgeStrip.tsx';
import { Empty } from '#console/shell/Fallback.tsx';
import { FilterField } from '#console/shell/FilterField.tsx';
import type { Screen } from '#console/shell/routes.ts';
import { useFilter } from '#console/shell/useFilter.ts';
import { Ago, count, many } from '#console/shell/words.tsx';

type Asked = { answer: Promise<Answer> };

export const dataMapScreen: Screen<Asked> = {
  load: (api, service) => ({ answer: api.dataMap(service) }),
  Component: DataMap,
};

const textOf = ({ id, title, from, purposes, categories }: DataType) =>
  [id, title, from, ...categories, ...purposes.flatMap((one) => [one.id, one.title])].join(' ');

/** Summed up for those who do not look at the strips. */
function summary({ types, operator, countedAt }: Answer): string {
  const held = types.filter(({ rows }) => (rows ?? 0) > 0);
  const late = types.filter(
    ({ oldestAgeMs, retain }) => retain.limitMs !== null && (oldestAgeMs ?? 0) > retain.limitMs,
  );
  const declared = `${many(types.length, 'type')} of data declared, and nothing else is collected.`;
  if (!operator || !countedAt) return declared;
  if (held.length === 0) return `${declared} None of them holds data now.`;
  const limit =
    late.length === 0
      ? 'None is older than its limit.'
      : `${many(late.length, 'type holds', 'types hold')} data older than its limit.`;
  return `${declared} ${many(held.length, 'type holds', 'types hold')} data now. ${limit}`;
}

function DataMap({ answer }: Asked) {
  const map = use(answer);
  const filter = useFilter();
  if (map.types.length === 0)
    return (
      <Empty title="Nothing is collected">
        <p>This policy declares no type of data, so every event is dropped at the door.</p>
      </Empty>
    );
  const shown = map.types.filter((type) => filter.fits(textOf(type)));
  return (
    <>
      <div className="list-head">
        <p className="lead">
          {summary(map)}{' '}
          {map.countedAt ? (
            <span className="muted">
              Counted <Ago at={map.countedAt} />, without the canaries of proofs.
            </span>
          ) : (
            !map.operator && (
              <span className="muted">Row counts and ages want the operator’s link.</span>
            )
          )}
        </p>
        <div className="list-tools">
          <FilterField label="Filter data types" filter={filter} />
        </div>
      </div>
      <div className="table-scroll">
        <table className="data-map">
          <thead>
            <tr>
              <th scope="col">Type</th>
              <th scope="col">Why it is held</th>
              <th scope="col" className="number">
                Rows
              </th>
              <th scope="col" className="ages">
                Oldest row against its limit
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((type) => (
              <TypeRow key={type.id} type={type} />
            ))}
          </tbody>
        </table>
      </div>
      {shown.length === 0 && <p className="empty-line">No type of data fits this filter.</p>}
    </>
  );
}

function TypeRow({ type }: { type: DataType }) {
  const sealed = type.fields.filter((field) => field.sealed).length;
  return (
    <tr>
      <th scope="row">
        <span className="type-title">{type.title}</span>
        <details data-row>
          <summary>
            <code>{type.id}</code> · {many(type.fields.length, 'field')}
            {sealed > 0 && `, ${sealed} sealed`}
          </summary>
          <Fields type={type} />
        </details>
      </th>
      <td>
        <ul className="purposes">
          {type.purposes.map(({ id, title, basis }) => (
            <li key={id}>
              {title} <span className="basis">{basis}</span>
            </li>
          ))}
        </ul>
      </td>
      <td className={`number${type.rows === null ? ' uncounted' : ''}`}>
        {type.rows === null ? <span className="muted">–</span> : count(type.rows)}
      </td>
      <td className="ages">
        <AgeStrip type={type} />
      </td>
    </tr>
  );
}

function Fields({ type }: { type: DataType }) {
  return (
    <dl className="fields">
      <div>
        <dt>from</dt>
        <dd>
          <code>{type.from}</code>, {type.party === 'first' ? 'first-party' : 'of another party'},
          keyed by {type.key}
        </dd>
      </div>
      {type.fields.map(({ name, type: kind, sealed }) => (
        <div key={name}>
          <dt>
            <code>{name}</code>
          </dt>
          <dd>
            {kind}
            {sealed && <span className="sealed"> sealed: {sealed}</span>}
          </dd>
        </div>
      ))}
      {type.fields.length === 0 && <div>Only that it happened, and when.</div>}
    </dl>
  );
}
