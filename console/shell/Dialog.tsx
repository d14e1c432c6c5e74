import type { ReactNode } from 'react';

type Props = { label: string; close: () => void; className?: string; children: ReactNode };

const show = (dialog: HTMLDialogElement | null) => {
  if (!dialog) return;
  dialog.showModal();
  return () => dialog.close();
};

/** The browser's own modal: it traps focus, closes on Escape and gives the focus back. */
export function Dialog({ label, close, className, children }: Props) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog without our help
    <dialog
      ref={show}
      aria-label={label}
      className={className}
      onClose={close}
      onClick={(event) => event.target === event.currentTarget && close()}
    >
      {children}
    </dialog>
  );
}
