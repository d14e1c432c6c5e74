import { type KeyboardEvent, useDeferredValue, useState } from 'react';
import type { TenantSummary } from '#console/api.ts';
import { Dialog } from '#console/shell/Dialog.tsx';
import { go } from '#console/shell/navigation.ts';
import { pathOf, placeOf, SERVICE_SCREENS } from '#console/shell/routes.ts';

type Command = { to: string; label: string; aside: string };
const SHOWN_MAX = 12;

/** Every place of the console by name, and any promise by its id (`CW-11`). */
function commandsFor(tenants: readonly TenantSummary[], typed: string): Command[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const place = placeOf(location.pathname);
  const here = place.name === 'service' ? place.service : '';
  const places: Command[] = [
    { to: '/', label: 'Overview', aside: 'all services' },
    ...tenants
      .toSorted((a, b) => Number(b.id === here) - Number(a.id === here))
      .flatMap(({ id, service, title }) =>
        SERVICE_SCREENS.map((screen) => ({
          to: pathOf(id, screen.id),
          label: `${service} · ${screen.label}`,
          aside: title,
        })),
      ),
  ];
  const fits = ({ label, aside, to }: Command) =>
    words.every((word) => `${label} ${aside} ${to}`.toLowerCase().includes(word));
  const found = places.filter(fits);
  if (words.length > 0 && here)
    found.push({
      to: `${pathOf(here)}?q=${encodeURIComponent(typed.trim())}`,
      label: `Promises that say “${typed.trim()}”`,
      aside: 'search this policy',
    });
  return found.slice(0, SHOWN_MAX);
}

export function Palette({ tenants, close }: { tenants: TenantSummary[]; close: () => void }) {
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const commands = commandsFor(tenants, useDeferredValue(typed));
  const chosen = Math.min(at, commands.length - 1);

  const run = (command: Command | undefined) => {
    close();
    if (command) go(command.to);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt(Math.min(Math.max(chosen + step, 0), commands.length - 1));
    else if (event.key === 'Enter') run(commands[chosen]);
    else return;
    event.preventDefault();
  };

  return (
    <Dialog label="Command palette" close={close} className="palette">
      <input
        type="text"
        role="combobox"
        aria-label="Go to"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={commands[chosen] ? `palette-${chosen}` : undefined}
        placeholder="Go to a service, a screen or a promise"
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div role="listbox" id="palette-list" aria-label="Places" tabIndex={-1}>
        {commands.map((command, index) => (
          <div
            key={command.to}
            id={`palette-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            onClick={() => run(command)}
            onKeyDown={onKeyDown}
            onPointerMove={() => setAt(index)}
          >
            <span>{command.label}</span> <small>{command.aside}</small>
          </div>
        ))}
        {commands.length === 0 && <p>No place has this name.</p>}
      </div>
    </Dialog>
  );
}
