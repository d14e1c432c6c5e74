import type { Counts, State } from '#console/api.ts';

/** State is a shape and a word as well as a colour. */
export const STATES: readonly { id: State; shape: string; word: string; plural: string }[] = [
  { id: 'kept', shape: '●', word: 'kept', plural: 'kept' },
  { id: 'broken', shape: '▲', word: 'broken', plural: 'broken' },
  { id: 'gap', shape: '○', word: 'gap', plural: 'gaps' },
  { id: 'attested', shape: '◆', word: 'attested', plural: 'attested' },
];

const shapeOf = (state: State) => STATES.find(({ id }) => id === state)?.shape ?? '○';

export function StateMark({ state }: { state: State }) {
  return (
    <span className={`state state-${state}`}>
      <span aria-hidden="true" className="shape">
        {shapeOf(state)}
      </span>{' '}
      {state}
    </span>
  );
}

/** "4 kept, 0 broken, 70 gaps, 3 attested". */
export const countsInWords = (counts: Counts) =>
  STATES.map(({ id, word, plural }) => `${counts[id]} ${counts[id] === 1 ? word : plural}`).join(
    ', ',
  );

export const totalOf = (counts: Counts) => STATES.reduce((sum, { id }) => sum + counts[id], 0);

/** The four counts, each with its shape, over a bar that shares them out. */
export function CountsBar({ counts, numbers = true }: { counts: Counts; numbers?: boolean }) {
  const total = Math.max(totalOf(counts), 1);
  return (
    <div className="counts">
      <div className="counts-bar" role="img" aria-label={countsInWords(counts)}>
        {STATES.filter(({ id }) => counts[id] > 0).map(({ id }) => (
          <span key={id} className={`part part-${id}`} style={{ flexGrow: counts[id] / total }} />
        ))}
      </div>
      {numbers && (
        <ul className="counts-numbers" aria-hidden="true">
          {STATES.map(({ id, shape, word, plural }) => (
            <li key={id} className={counts[id] ? `state-${id}` : 'none'}>
              <span className="shape">{shape}</span> <b>{counts[id]}</b>{' '}
              {counts[id] === 1 ? word : plural}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
