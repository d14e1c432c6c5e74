import { Dialog } from '#console/shell/Dialog.tsx';
import { KEYS } from '#console/shell/keyboard.ts';

export function KeysHelp({ close }: { close: () => void }) {
  return (
    <Dialog label="Keys" close={close} className="keys">
      <h2>Keys</h2>
      <dl>
        {KEYS.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              {keys.split(/\s+/).map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </Dialog>
  );
}
