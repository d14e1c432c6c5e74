import { use } from 'react';
import type { DayFound } from '#console/api.ts';
import { stripInWords, stripOf } from '#console/promises/strip.ts';

type Props = { id: string; days: Promise<ReadonlyMap<string, readonly DayFound[]>> };

const WIDTH = 4;
const HEIGHT = 14;
/** The states differ in height as well as in colour. */
const HEIGHTS = { kept: 8, attested: 8, gap: 4, broken: HEIGHT } as const;

/** A bar a day, for thirty days: short for a gap, tall for broken, none where nobody looked. */
export function Strip({ id, days }: Props) {
  const strip = stripOf(use(days).get(id) ?? [], new Date());
  const words = stripInWords(strip);
  return (
    <svg
      className="strip"
      width={strip.length * WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={words}
    >
      <title>{words}</title>
      {strip.map(({ day, state }, at) =>
        state ? (
          <rect
            key={day}
            className={`strip-${state}`}
            x={at * WIDTH}
            y={HEIGHT - HEIGHTS[state]}
            width={WIDTH - 1}
            height={HEIGHTS[state]}
          />
        ) : (
          <rect
            key={day}
            className="strip-none"
            x={at * WIDTH}
            y={HEIGHT - 1}
            width={WIDTH - 1}
            height={1}
          />
        ),
      )}
    </svg>
  );
}
