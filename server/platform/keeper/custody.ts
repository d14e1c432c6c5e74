/** What the keeper does with the keys it alone holds: one function for each call. */
import { statSync } from 'node:fs';
import { keeperProblem } from './errors.ts';
import { hasRecovery, Keks, metaNumber, setMeta } from './keks.ts';
import { type Keyring, needBothCopies } from './keyring.ts';
import { NamedKeys, SIGNING_TENANT } from './named-keys.ts';
import type { Ask, Call, Evict, KeeperStatus } from './protocol.ts';
import { HANDLES_MAX } from './protocol.ts';
import { makeRecoveryPair, wrapOf } from './roots.ts';
import { Rotation } from './rotation.ts';
import { signingKeysOf } from './signing-keys.ts';
import { type Gone, SubjectKeys } from './subject-keys.ts';
import { subjectTracesOf } from './subject-traces.ts';
import { tenantEndOf } from './tenant-end.ts';

/** What a call answers, and which cached keys every connected server must drop before. */
export type Done = { answer: unknown; evict: readonly Evict[] };

export type Custody = {
  /** Only inside `keyring.commit`. */
  perform(call: Call, ask: never): Done;
  status(connections: number): KeeperStatus;
  identity(): { instance: string; epoch: number };
  /** Starts a rotation, or finds one running; `step` carries it on. */
  rotate(at: number): { epoch: number; keysLeft: number };
  readonly rotation: Rotation;
  makeRecovery(): { secret: string };
};

const COUNTED_FOR_MS = 2_000;

function checkLengths(ask: { handles?: unknown[]; subjects?: unknown[]; keys?: unknown[] }): void {
  const length = (ask.handles ?? ask.subjects ?? ask.keys ?? []).length;
  if (length > HANDLES_MAX) {
    throw keeperProblem('keyring-call-invalid', `at most ${HANDLES_MAX} keys in one call`);
  }
}

const done = (answer: unknown): Done => ({ answer, evict: [] });
const gone = ({ evict, ...answer }: Gone): Done => ({ answer, evict: [evict] });

function durabilityGaps(keyring: Keyring, keks: Keks): string[] {
  const { copyDir, dirs } = keyring;
  const [dir = ''] = dirs;
  const gaps: string[] = [];
  if (!keyring.there) gaps.push('the file of the keyring is gone from its directory');
  if (!copyDir) gaps.push('one copy of the keyring only: name a second directory');
  else if (!keyring.copied) gaps.push('the second copy is out of reach');
  else if (statSync(dir).dev === statSync(copyDir).dev) gaps.push('both copies are on one disk');
  if (!hasRecovery(keyring, keks.epoch)) gaps.push('no recovery kit was made');
  return gaps;
}

const count = (keyring: Keyring, sql: string, ...values: string[]) =>
  Number(keyring.get<{ count: number }>(sql, ...values)?.count ?? 0);

/** Counting reads the whole file, so a figure serves for a while. */
function subjectCounter(keyring: Keyring): () => number {
  let counted = { subjects: 0, until: 0 };
  return () => {
    if (performance.now() < counted.until) return counted.subjects;
    const subjects = count(keyring, 'select count(*) as count from subject_keys');
    counted = { subjects, until: performance.now() + COUNTED_FOR_MS };
    return subjects;
  };
}

/** What a status says that is read where it stands. */
const standingOf = (keyring: Keyring, keks: Keks) => ({
  instance: keyring.instance,
  epoch: keks.epoch,
  epochAt: metaNumber(keyring, 'epoch_at') ?? 0,
  rotating: keks.rotatingFrom !== undefined,
  tenants: count(
    keyring,
    "select count(*) as count from keks where purpose = 'live' and tenant <> ?",
    SIGNING_TENANT,
  ),
  copies: keyring.dirs.length === 2 ? (2 as const) : (1 as const),
  durabilityGaps: durabilityGaps(keyring, keks),
  wrap: wrapOf(keyring.dirs[0] ?? '', keks.epoch) ?? ('file' as const),
  recovery: hasRecovery(keyring, keks.epoch),
});

type Holdings = {
  keyring: Keyring;
  keks: Keks;
  people: SubjectKeys;
  named: NamedKeys;
  signing: ReturnType<typeof signingKeysOf>;
};
type Acts = { [C in Call]?: (ask: Ask<C>) => Done };

const OUTLIVES = 'a key in it would outlive its destruction';

function destroyDue(
  { keyring, people, named }: Holdings,
  { at: now, lateUntil }: Ask<'destroyDue'>,
): Done {
  needBothCopies(keyring, OUTLIVES);
  const subjects = people
    .due(now)
    .map(({ tenant, subject }) => people.forget(tenant, [subject], lateUntil));
  const names = named.due(now).map((key) => named.destroy(key, now));
  const tombstones = keyring.run('delete from tombstones where until <= ?', now);
  return {
    answer: { subjects: subjects.length, named: names.length, tombstones },
    evict: [...subjects, ...names].map(({ evict }) => evict),
  };
}

function actsOf(holdings: Holdings): Acts {
  const { keyring, keks, people, named, signing } = holdings;
  const ending = tenantEndOf(keyring, keks);
  const tracing = subjectTracesOf(keyring);
  return {
    subjects: (ask) => done(people.subjects(ask)),
    open: (ask) => done(people.open(ask)),
    link: (ask) => done(people.link(ask)),
    vouched: (ask) => done(people.vouched(ask)),
    linked: ({ tenant, subject }) => done(people.cluster(tenant, subject)),
    whois: (ask) => done(tracing.whois(ask)),
    traces: (ask) => done(tracing.traces(ask)),
    named: (ask) => done(named.named(ask)),
    namedVersion: (ask) => done(named.version(ask)),
    sign: (ask) => done(signing.sign(ask)),
    publicKey: (ask) => done(signing.publicKey(ask)),
    quarantine: (ask) => gone(people.quarantine(ask)),
    release: (ask) => done(people.release(ask)),
    destroy: ({ tenant, subject, lateUntil }) => {
      needBothCopies(keyring, OUTLIVES);
      return gone(people.forget(tenant, people.cluster(tenant, subject), lateUntil));
    },
    destroyNamed: (ask) => {
      needBothCopies(keyring, OUTLIVES);
      return gone(named.destroy(ask, Date.now()));
    },
    census: (ask) => done(ending.census(ask)),
    destroyTenant: (ask) => {
      needBothCopies(keyring, OUTLIVES);
      const { more, evict } = ending.destroyTenant(ask);
      return { answer: { more }, evict: [evict] };
    },
    destroyDue: (ask) => destroyDue(holdings, ask),
  };
}

export function openCustody(
  keyring: Keyring,
  { passphrase, at }: { passphrase: string | undefined; at: number },
): Custody {
  const keks = new Keks(keyring, passphrase, at);
  const people = new SubjectKeys(keyring, keks);
  const named = new NamedKeys(keyring, keks);
  const signing = signingKeysOf(keyring, keks, at);
  const rotation = new Rotation(keyring, keks);
  const acts = actsOf({ keyring, keks, people, named, signing });
  const countSubjects = subjectCounter(keyring);
  return {
    rotation,
    perform(call, ask) {
      const act = acts[call] as ((ask: never) => Done) | undefined;
      if (!act) throw keeperProblem('keyring-call-invalid', 'there is no such call');
      checkLengths(ask);
      return act(ask);
    },
    identity: () => ({ instance: keyring.instance, epoch: keks.epoch }),
    status(connections) {
      keyring.look();
      return {
        ...standingOf(keyring, keks),
        keysLeft: rotation.keysLeft(),
        subjects: countSubjects(),
        connections,
      };
    },
    rotate(now) {
      keyring.look();
      needBothCopies(keyring, OUTLIVES);
      const epoch = keks.beginEpoch(now);
      return { epoch, keysLeft: rotation.keysLeft() };
    },
    makeRecovery() {
      const { publicKey, secret } = makeRecoveryPair();
      keyring.commit(() => setMeta(keyring, 'recovery_public', publicKey));
      keks.makeRecoveryFiles(publicKey);
      return { secret: secret.toString('base64') };
    },
  };
}
