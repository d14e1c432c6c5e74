import type { Pipeline } from '#console/api.ts';
import { count } from '#console/shell/words.tsx';

/** The way of an event, step by step: the bar narrows where events are dropped. */
export function StepsTable({ pipeline }: { pipeline: Pipeline }) {
  const { steps, received } = pipeline;
  const share = (events: number) => `${(events / Math.max(received, 1)) * 100}%`;
  return (
    <section aria-labelledby="steps">
      <h2 id="steps">The way of an event</h2>
      <table className="steps">
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col" className="bar">
              <span className="sr-only">Share that goes on</span>
            </th>
            <th scope="col" className="number">
              On
            </th>
            <th scope="col" className="number">
              Dropped
            </th>
            <th scope="col" className="number time">
              µs an event
            </th>
          </tr>
        </thead>
        <tbody>
          {steps.map(({ name, in: into, out, microseconds }) => (
            <tr key={name}>
              <th scope="row">
                <code>{name}</code>
              </th>
              <td className="bar" aria-hidden="true">
                <span className="step-on" style={{ width: share(out) }} />
                <span className="step-dropped" style={{ width: share(into - out) }} />
              </td>
              <td className="number">{count(out)}</td>
              <td className={`number${into > out ? ' state-gap' : ' none'}`}>
                {into > out ? count(into - out) : '–'}
              </td>
              <td className="number time">
                {microseconds === null ? '–' : microseconds.toFixed(microseconds < 10 ? 1 : 0)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
