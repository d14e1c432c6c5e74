import { Component, type ReactNode } from 'react';
import { ApiProblem } from '#console/api.ts';

type Props = { children: ReactNode; place: string };

/** Shows what a refusal means. A screen that was refused never takes the page down with it. */
export class ProblemBoundary extends Component<Props, { problem: unknown; place: string }> {
  override state = { problem: null as unknown, place: this.props.place };

  static getDerivedStateFromError(problem: unknown) {
    return { problem };
  }

  static getDerivedStateFromProps(props: Props, state: { place: string }) {
    return props.place === state.place ? null : { problem: null, place: props.place };
  }

  override render() {
    const { problem } = this.state;
    return problem ? <Refused problem={problem} /> : this.props.children;
  }
}

const MEANINGS: Record<string, string> = {
  'operator-only':
    'This screen shows live figures of a service, so it wants an operator. Open the operator’s link that the server printed when it started; it is also in development.json.',
  'no-such-tenant': 'No service of this name has a policy in force here.',
};

function Refused({ problem }: { problem: unknown }) {
  const known = problem instanceof ApiProblem ? problem : null;
  return (
    <section className="empty" role="alert">
      <h2>{known?.title ?? 'This screen could not be shown'}</h2>
      <p>
        {MEANINGS[known?.code ?? ''] ??
          (known ? known.detail : 'The server did not answer. Nothing was lost; try again.')}
      </p>
      {known && known.code !== 'internal' && (
        <p>
          <a href={`/problems/${known.code}`}>What “{known.code}” means</a>
        </p>
      )}
    </section>
  );
}

/** The shape of a ledger before its lines arrive; nothing moves when they do. */
export function Skeleton() {
  return (
    <div className="skeleton" role="status" aria-label="Reading the ledger">
      {Array.from({ length: 9 }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
        <span key={line} />
      ))}
    </div>
  );
}

const OPERATOR_ONLY = 'operator-only';
export type OperatorOnly = typeof OPERATOR_ONLY;

/** The answer, or the word that it is for the operator; for a screen that says so in its place. */
export const orOperatorOnly = <Answer,>(asked: Promise<Answer>): Promise<Answer | OperatorOnly> =>
  asked.catch((error: unknown) => {
    if (error instanceof ApiProblem && error.code === OPERATOR_ONLY) return OPERATOR_ONLY;
    throw error;
  });

export const ForOperator = ({ title }: { title: string }) => (
  <Empty title={title}>
    <p>Open the link that the server printed when it started.</p>
  </Empty>
);

type EmptyProps = { title: string; wholePage?: boolean; children: ReactNode };

/** Says what an emptiness means. `wholePage` when no other title stands above it. */
export function Empty({ title, wholePage = false, children }: EmptyProps) {
  const Title = wholePage ? 'h1' : 'h2';
  return (
    <section className="empty">
      <Title>{title}</Title>
      {children}
    </section>
  );
}
