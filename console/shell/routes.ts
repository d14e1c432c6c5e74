import type { ComponentType } from 'react';
import type { Api } from '#console/api.ts';

/** The screens of one service, in the order of the tabs; `key` follows `g` on the keyboard. */
export const SERVICE_SCREENS = [
  { id: 'promises', label: 'Promises', key: 'p' },
  { id: 'findings', label: 'Findings', key: 'f' },
  { id: 'policy', label: 'Policy', key: 't' },
  { id: 'data', label: 'Data map', key: 'd' },
  { id: 'pipeline', label: 'Pipeline', key: 'l' },
  { id: 'erasures', label: 'Erasures', key: 'e' },
  { id: 'audit', label: 'Audit log', key: 'a' },
  { id: 'removal', label: 'Remove', key: 'r' },
] as const;
export type ServiceScreen = (typeof SERVICE_SCREENS)[number]['id'];

export type Place =
  | { name: 'overview' }
  | { name: 'service'; service: string; screen: ServiceScreen }
  | { name: 'nowhere' };

/** What a screen's file exports: what to ask, once per navigation, and how to show it. */
export type Screen<Props> = {
  load: (api: Api, service: string) => Props;
  Component: ComponentType<Props & { service: string }>;
};

/** Reads the path of a URL. A service alone means its promises. */
export function placeOf(path: string): Place {
  const parts = path.split('/').filter(Boolean);
  if (parts.length === 0) return { name: 'overview' };
  const [root, service, screen = 'promises'] = parts;
  const known = SERVICE_SCREENS.find(({ id }) => id === screen);
  if (root !== 'services' || !service || !known || parts.length > 3) return { name: 'nowhere' };
  return { name: 'service', service, screen: known.id };
}

export const pathOf = (service: string, screen: ServiceScreen = 'promises') =>
  `/services/${service}/${screen}`;
