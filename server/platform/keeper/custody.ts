/** What the keeper does with the keys it alone holds: one function for each call. */
import { statSync } from 'node:fs';
import { keeperProblem } from './errors.ts';
import { hasRecovery, type Keks, metaNumber, openKeks, setMeta } from './keks.ts';
import type { Keyring } from './keyring.ts';
import { namedKeysOf, SIGNING_TENANT } from './named-keys.ts';
import type { Ask, Call, Evict, KeeperStatus } from './protocol.ts';
import { HANDLES_MAX } from './protocol.ts';
import { makeRecoveryPair, wrapOf } from './roots.ts';
import { type Rotation, rotationOf } from './rotation.ts';
import { signingKeysOf } from './signing-keys.ts';
import { type Gone, subjectKeysOf } from './subject-keys.ts';

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
  if (!copyDir) gaps.push('one copy of the keyring only: name a second directory');
  else if (!keyring.copied) gaps.push('the second copy is out of reach');
  else if (statSync(dir).dev === statSync(copyDir).dev) gaps.push('both copies are on one disk');
  if (!hasRecovery(keyring, keks.epoch)) gaps.push('no recovery kit was made');
  return gaps;
}

export function openCustody(
  keyring: Keyring,
  { passphrase, at }: { passphrase: string | undefined; at: number },
): Custody {
  const keks = openKeks(keyring, passphrase, at);
  const people = subjectKeysOf(keyring, keks);
  const named = namedKeysOf(keyring, keks);
  const signing = signingKeysOf(keyring, keks, at);
  const rotation = rotationOf(keyring, keks);
  /** A key that lives on in a copy we cannot write is not destroyed. */
  const bothCopies = () => {
    if (!keyring.copied) {
      throw keeperProblem('keyring-copy-missing', 'a key in it would outlive its destruction');
    }
  };

  function destroyDue({ at: now, lateUntil }: Ask<'destroyDue'>): Done {
    bothCopies();
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

  const acts: { [C in Call]?: (ask: Ask<C>) => Done } = {
    subjects: (ask) => done(people.subjects(ask)),
    open: (ask) => done(people.open(ask)),
    link: (ask) => done(people.link(ask)),
    vouched: (ask) => done(people.vouched(ask)),
    linked: ({ tenant, subject }) => done(people.cluster(tenant, subject)),
    named: (ask) => done(named.named(ask)),
    namedVersion: (ask) => done(named.version(ask)),
    sign: (ask) => done(signing.sign(ask)),
    publicKey: (ask) => done(signing.publicKey(ask)),
    quarantine: (ask) => gone(people.quarantine(ask)),
    release: (ask) => done(people.release(ask)),
    destroy: ({ tenant, subject, lateUntil }) => {
      bothCopies();
      return gone(people.forget(tenant, people.cluster(tenant, subject), lateUntil));
    },
    destroyNamed: (ask) => {
      bothCopies();
      return gone(named.destroy(ask, Date.now()));
    },
    destroyDue,
  };

  const count = (sql: string, ...values: string[]) =>
    Number(keyring.get<{ count: number }>(sql, ...values)?.count ?? 0);
  let counted = { subjects: 0, until: 0 };
  /** Counting reads the whole file, so a figure serves for a while. */
  const countSubjects = () => {
    if (performance.now() < counted.until) return counted.subjects;
    const subjects = count('select count(*) as count from subject_keys');
    counted = { subjects, until: performance.now() + COUNTED_FOR_MS };
    return subjects;
  };
  return {
    rotation,
    perform(call, ask) {
      const act = acts[call] as ((ask: never) => Done) | undefined;
      if (!act) throw keeperProblem('keyring-call-invalid', 'there is no such call');
      checkLengths(ask);
      return act(ask);
    },
    identity: () => ({ instance: keyring.instance, epoch: keks.epoch }),
    status: (connections) => ({
      instance: keyring.instance,
      epoch: keks.epoch,
      epochAt: metaNumber(keyring, 'epoch_at') ?? 0,
      rotating: keks.rotatingFrom !== undefined,
      keysLeft: rotation.keysLeft(),
      subjects: countSubjects(),
      tenants: count(
        "select count(*) as count from keks where purpose = 'live' and tenant <> ?",
        SIGNING_TENANT,
      ),
      copies: keyring.dirs.length === 2 ? 2 : 1,
      durabilityGaps: durabilityGaps(keyring, keks),
      wrap: wrapOf(keyring.dirs[0] ?? '', keks.epoch) ?? 'file',
      recovery: hasRecovery(keyring, keks.epoch),
      connections,
    }),
    rotate(now) {
      bothCopies();
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
