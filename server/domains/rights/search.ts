/**
 * The search for a person's bytes, wherever this installation keeps any.
 *
 * What is looked for depends on the store: in most of them nothing of the person may be left, not
 * even the opaque id; in PostgreSQL the id stays in the audit log and in this very request, so
 * there the rows' own bytes, keys and handles are looked for. A store in which the planted control
 * was not found was not searched, whatever else was found there.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SubjectId } from '#base/ids';
import { openByteScan, PATTERN_BYTES_MIN, type Roots, type StoreScan } from '#platform/bytes';
import type { ErasureId } from './model.ts';
import type { Traces } from './traces.ts';

/** Shorter words are found everywhere by chance. */
const HANDLE_BYTES_MIN = 8;
/** Tables ordered by subject press the first bytes of neighbours together; the rest lies whole. */
const ID_FROM = 4;

export const KINDS = ['id', 'id-text', 'key', 'index', 'handle', 'row'] as const;
export type Kind = (typeof KINDS)[number];

const NOTHING_LEFT: readonly Kind[] = ['id', 'id-text', 'key', 'index', 'handle'];
/** Its texts are pressed together: no handle would be seen there, so none is looked for. */
const NOTHING_LEFT_PRESSED: readonly Kind[] = ['id', 'id-text', 'key', 'index'];
const PSEUDONYM_STAYS: readonly Kind[] = ['key', 'index', 'handle', 'row'];

/** What must be in no file of each store. */
export const LOOKED_FOR: Readonly<Record<string, readonly Kind[]>> = {
  clickhouse: NOTHING_LEFT_PRESSED,
  postgresql: PSEUDONYM_STAYS,
  'postgresql-log': PSEUDONYM_STAYS,
  objects: NOTHING_LEFT,
  logs: NOTHING_LEFT,
  // The blind index stays as a tombstone, the id in the forget journal.
  keyring: ['key', 'handle'],
  'audit-log': ['key', 'index', 'handle'],
  rest: NOTHING_LEFT,
};

/** Stores that hold nothing where there is no file. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set(['objects']);

type Sought = { readonly erasure: ErasureId; readonly kind: Kind; readonly bytes: Buffer };

/** One erasure's part of a search. */
export type Target = {
  readonly id: ErasureId;
  readonly subjects: readonly SubjectId[];
  readonly traces: Traces;
};

export type Place = {
  readonly store: string;
  readonly found: number;
  /** How often the handle stands there: a common word, or a text that is not the person's. */
  readonly named: number;
  readonly lookedFor: readonly Kind[];
  readonly files: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly unreadable: number;
  /** Whether the search can be believed here; else the word says why not. */
  readonly searched: boolean;
  readonly because: 'elsewhere' | 'control-not-found' | 'unreadable-files' | 'not-visible' | null;
  readonly control: 'found' | 'missing' | 'nothing-stored';
};

const dashed = (id: string) =>
  [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)].join('-');

function soughtOf({ id: erasure, subjects, traces }: Target): Sought[] {
  const of = (kind: Kind, list: readonly Buffer[]) =>
    list
      .filter(({ length }) => length >= PATTERN_BYTES_MIN)
      .map((bytes) => ({ erasure, kind, bytes }));
  const base64 = (list: readonly string[]) => list.map((text) => Buffer.from(text, 'base64'));
  const handle = Buffer.from(traces.handle ?? '');
  return [
    ...of(
      'id',
      subjects.map((subject) => Buffer.from(subject, 'hex').subarray(ID_FROM)),
    ),
    ...of(
      'id-text',
      subjects.flatMap((subject) => [Buffer.from(subject), Buffer.from(dashed(subject))]),
    ),
    ...traces.people.flatMap(({ keyIds, nonces, handles }) => [
      ...of('key', [...base64(keyIds), ...base64(nonces)]),
      ...of('index', base64(handles)),
    ]),
    ...of('index', traces.index ? base64([traces.index]) : []),
    ...of('handle', handle.length >= HANDLE_BYTES_MIN ? [handle] : []),
    ...of('row', base64(traces.rows)),
  ];
}

/** True when what a client called the person is long enough to be searched for. */
export const isHandleSearched = ({ handle }: Traces): boolean =>
  handle !== null && Buffer.byteLength(handle) >= HANDLE_BYTES_MIN;

/** What must be found in each store: the planted marker, or else what is known to be there. */
export type Controls = {
  readonly marker: string;
  readonly others: Readonly<Record<string, Buffer | undefined>>;
};

export type Places = {
  readonly dataDir: string;
  readonly keyringDirs: readonly string[];
  readonly auditDirs: readonly string[];
  /** Stores of other machines: nobody here can look at their files. */
  readonly elsewhere: readonly string[];
};

/** Every entry of the data directory belongs to exactly one store, also one that is new. */
function rootsOf({ dataDir, keyringDirs, auditDirs, elsewhere }: Places): Roots {
  const named: Record<string, string[]> = {
    clickhouse: ['clickhouse'],
    postgresql: ['postgres'],
    objects: ['objects'],
    logs: ['log', 'logs', 'keeper.log'],
  };
  const known = new Set(Object.values(named).flat());
  const at = (name: string) => join(dataDir, name);
  const rest = readdirSync(dataDir).filter((name) => !known.has(name));
  const postgres = existsSync(at('postgres')) ? readdirSync(at('postgres')) : [];
  const roots: Record<string, readonly string[]> = {
    clickhouse: [at('clickhouse')],
    postgresql: postgres
      .filter((name) => name !== 'pg_wal')
      .map((name) => join(at('postgres'), name)),
    'postgresql-log': [join(at('postgres'), 'pg_wal')],
    objects: [at('objects')],
    logs: (named['logs'] ?? []).map(at),
    keyring: keyringDirs,
    'audit-log': auditDirs,
    rest: rest.map(at),
  };
  return Object.fromEntries(Object.entries(roots).filter(([store]) => !elsewhere.includes(store)));
}

const nowhere = (store: string): Place => ({
  store,
  found: 0,
  named: 0,
  lookedFor: [],
  files: 0,
  bytes: 0,
  seconds: 0,
  unreadable: 0,
  searched: false,
  because: 'elsewhere',
  control: 'missing',
});

/** By store, where among all patterns its control stands; `marker` for those with none. */
type ControlsAt = ReadonlyMap<string, number>;

type Found = Pick<Place, 'found' | 'named'>;
const NOTHING: Found = { found: 0, named: 0 };

/** How much of each erasure a scan of one store found, of what must not be there. */
function foundIn({ store, counts }: StoreScan, sought: readonly Sought[]): Map<ErasureId, Found> {
  const lookedFor = new Set(LOOKED_FOR[store] ?? NOTHING_LEFT);
  const all = new Map<ErasureId, Found>();
  for (const [index, { erasure, kind }] of sought.entries()) {
    const count = lookedFor.has(kind) ? (counts[index] ?? 0) : 0;
    if (count === 0) continue;
    const { found, named } = all.get(erasure) ?? NOTHING;
    const isHandle = kind === 'handle';
    all.set(erasure, {
      found: found + (isHandle ? 0 : count),
      named: named + (isHandle ? count : 0),
    });
  }
  return all;
}

/** What one scan says, whoever is looked for. */
function placeOf(scan: StoreScan, controls: ControlsAt): Omit<Place, keyof Found> {
  const { store, files, bytes, seconds, unreadable, counts } = scan;
  const lookedFor = LOOKED_FOR[store] ?? NOTHING_LEFT;
  const at = controls.get(store) ?? controls.get('marker') ?? -1;
  const seen = (counts[at] ?? 0) > 0;
  const empty = files === 0 && unreadable.length === 0 && MAY_BE_EMPTY.has(store);
  const control = empty ? 'nothing-stored' : seen ? 'found' : 'missing';
  const because =
    control === 'missing' ? 'control-not-found' : unreadable.length > 0 ? 'unreadable-files' : null;
  return {
    store,
    lookedFor,
    files,
    bytes,
    seconds,
    control,
    because,
    unreadable: unreadable.length,
    searched: because === null,
  };
}

/**
 * Looks for all of them in one pass over everything.
 *
 * @returns for each erasure, in the order of `targets`, what was seen in each store.
 */
export async function searchBytes(
  places: Places,
  targets: readonly Target[],
  controls: Controls,
): Promise<Map<ErasureId, Place[]>> {
  const sought = targets.flatMap(soughtOf);
  const planted = { ...controls.others, marker: Buffer.from(controls.marker) };
  const known = Object.entries(planted).flatMap(([store, bytes]) =>
    bytes === undefined ? [] : [{ store, bytes }],
  );
  const scan = openByteScan({ roots: rootsOf(places) });
  const { stores } = await scan.scan([...sought, ...known].map(({ bytes }) => bytes));
  const indexes = known.map(({ store }, index) => [store, sought.length + index] as const);
  const controlsAt = new Map(indexes);
  const passes = stores.map((store) => ({
    found: foundIn(store, sought),
    place: placeOf(store, controlsAt),
  }));
  return new Map(
    targets.map(({ id }) => [
      id,
      [
        ...passes.map(({ found, place }) => ({ ...place, ...(found.get(id) ?? NOTHING) })),
        ...places.elsewhere.map(nowhere),
      ],
    ]),
  );
}
