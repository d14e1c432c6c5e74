import type { ReactNode } from 'react';

type Props = { on: boolean; choose: () => void; children: ReactNode };

/** One kind of line that a list may be narrowed to. */
export const Kind = ({ on, choose, children }: Props) => (
  <button type="button" aria-pressed={on} onClick={choose}>
    {children}
  </button>
);
