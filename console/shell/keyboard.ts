/** The keyboard of the console: one listener, a table of keys, and rows that can be walked. */
import { go } from '#console/shell/navigation.ts';
import { pathOf, placeOf, SERVICE_SCREENS } from '#console/shell/routes.ts';

export const KEYS: readonly [string, string][] = [
  ['j  k', 'next row, previous row'],
  ['Enter', 'open or close the row'],
  ['/', 'filter the list'],
  ['Ctrl K', 'command palette: go to any service, screen or promise'],
  ['g o', 'overview of all services'],
  ...SERVICE_SCREENS.map(({ key, label }): [string, string] => [`g ${key}`, label.toLowerCase()]),
  ['[  ]', 'previous service, next service'],
  ['?', 'this list'],
  ['Esc', 'close'],
];

const GO_WITHIN_MS = 1_200;

function walk(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const visible = rows.findIndex((row) => row.getBoundingClientRect().top >= 0);
  const next = at === -1 ? Math.max(visible, 0) : Math.min(Math.max(at + step, 0), rows.length - 1);
  const row = rows[next];
  const target = row?.matches('a,button') ? row : row?.querySelector<HTMLElement>('a,button');
  target?.focus();
  row?.scrollIntoView({ block: 'nearest' });
}

function goTo(key: string, services: readonly string[]): boolean {
  const place = placeOf(location.pathname);
  const service = place.name === 'service' ? place.service : services[0];
  const screen = SERVICE_SCREENS.find((known) => known.key === key);
  if (key === 'o') go('/');
  else if (screen && service) go(pathOf(service, screen.id));
  else return false;
  return true;
}

function neighbour(step: 1 | -1, services: readonly string[]): void {
  const place = placeOf(location.pathname);
  const at = place.name === 'service' ? services.indexOf(place.service) : step === 1 ? -1 : 0;
  const next = services.at((at + step) % services.length);
  if (next) go(pathOf(next, place.name === 'service' ? place.screen : 'promises'));
}

type Opens = { palette(): void; keys(): void; services(): readonly string[] };

/** Starts listening; returns how to stop. Keys typed into a field stay in the field. */
export function listenToKeys(opens: Opens): () => void {
  let goPressedAt = 0;
  const onKey = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if ((event.ctrlKey || event.metaKey) && event.key === 'k') {
      event.preventDefault();
      opens.palette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]'))
      return;
    if (target.matches('input,textarea,select,[contenteditable]')) {
      if (event.key === 'Escape') target.blur();
      return;
    }
    if (Date.now() - goPressedAt < GO_WITHIN_MS) {
      goPressedAt = 0;
      if (goTo(event.key, opens.services())) event.preventDefault();
      return;
    }
    const acts: Record<string, () => void> = {
      g: () => {
        goPressedAt = Date.now();
      },
      j: () => walk(1),
      k: () => walk(-1),
      '/': () => document.querySelector<HTMLInputElement>('[data-filter]')?.focus(),
      '?': opens.keys,
      '[': () => neighbour(-1, opens.services()),
      ']': () => neighbour(1, opens.services()),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}
