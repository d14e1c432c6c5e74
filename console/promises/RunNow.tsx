import { useState } from 'react';
import type { Api, Found, Promised } from '#console/api.ts';
import { ApiProblem } from '#console/api.ts';

type Props = { api: Api; service: string; id: string; found: (found: Partial<Promised>) => void };

/** What a finding changes in a row that is shown. */
const changeOf = ({ state, saw, at, tookMs, blindTo, strength }: Found): Partial<Promised> => ({
  state,
  saw,
  provenAt: at,
  tookMs,
  blindTo,
  probe: strength,
  reason: state === 'gap' ? saw : null,
});

/** Looks now. The row shows what was found; the count above it follows with the next visit. */
export function RunNow({ api, service, id, found }: Props) {
  const [running, setRunning] = useState(false);
  const [refused, setRefused] = useState('');

  async function run() {
    setRunning(true);
    setRefused('');
    try {
      let any = false;
      await api.prove({ tenant: service, promise: id }, (one) => {
        any = true;
        found(changeOf(one));
      });
      if (!any) setRefused('No proof of this version looks at this promise.');
    } catch (error) {
      setRefused(error instanceof ApiProblem ? error.title : 'The server did not answer');
    } finally {
      setRunning(false);
    }
  }

  return (
    <p className="run-now">
      <button type="button" onClick={run} disabled={running}>
        {running ? 'Looking …' : 'Run now'}
      </button>{' '}
      <span role="status">{refused}</span>
    </p>
  );
}
