import type { DataType } from '#console/api.ts';
import { length } from '#console/shell/words.tsx';

/** The limit stands at four fifths of the strip, so that what is beyond it can be seen. */
const LIMIT_AT = 80;

/** Where the oldest row stands, in percent of the strip; a limit exceeded fourfold is the edge. */
export function placeOfAge(ageMs: number, limitMs: number): number {
  const share = ageMs / limitMs;
  if (share <= 1) return share * LIMIT_AT;
  return Math.min(LIMIT_AT + ((share - 1) / 3) * (100 - LIMIT_AT), 100);
}

function words({ oldestAgeMs: age, rows, retain, uncounted }: DataType): string {
  const limit = retain.limitMs === null ? retain.text : length(retain.limitMs);
  if (age !== null && retain.limitMs !== null) return `${length(age)} of ${limit}`;
  if (age !== null) return `${length(age)}, kept ${limit}`;
  if (rows === 0) return `nothing held, limit ${limit}`;
  return uncounted ? `${limit} · ${uncounted}` : limit;
}

export function AgeStrip({ type }: { type: DataType }) {
  const { oldestAgeMs: age, retain } = type;
  const late = age !== null && retain.limitMs !== null && age > retain.limitMs;
  const filled = age !== null && retain.limitMs !== null ? placeOfAge(age, retain.limitMs) : 0;
  return (
    <div className={`age${late ? ' late' : ''}`}>
      {retain.limitMs !== null && (
        <div className="age-strip" aria-hidden="true">
          <span className="age-limit" style={{ left: `${LIMIT_AT}%` }} />
          {filled > 0 && <span className="age-held" style={{ width: `${filled}%` }} />}
        </div>
      )}
      <span className="age-words">
        {late && <b className="state-broken">▲ late · </b>}
        {words(type)}
      </span>
    </div>
  );
}
