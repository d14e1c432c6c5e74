/** What ails the installation, as far as the running server can tell, and what to type about it. */
import { statfs } from 'node:fs/promises';
import type { Clock } from '#base/clock';
import { type AuditHealth, auditHealth } from '#core/audit';
import { type KeysStatus, keysStatus } from '#core/keys';
import type { Evidence, PipelineWatch, PromiseAnswers, ServicesInForce } from '#oversight/evidence';
import { type Removal, readRemovals } from '#oversight/removal';
import type { Database } from '#platform/database';
import { type Heartbeat, readHeartbeats } from '#platform/jobs';
import type { Keeper } from '#platform/keeper';
import type { Config } from './config.ts';
import type { Ailment } from './edges/http/index.ts';
import type { LeftOut } from './policy-folder.ts';

type Needs = {
  readonly db: Database;
  readonly keeper: Keeper;
  readonly clock: Clock;
  readonly config: Config;
  readonly services: ServicesInForce;
  readonly promises: (service: ReturnType<ServicesInForce['list']>[number]) => PromiseAnswers;
  readonly evidence: Pick<Evidence, 'lastRound'>;
  readonly pipeline: PipelineWatch;
  readonly leftOut: readonly LeftOut[];
};

const SKEW_MS_MAX = 5_000;
const FREE_BYTES_MIN = 2 * 1024 ** 3;
const GIB = 1024 ** 3;

const wrong = (what: string, type: string): Ailment => ({ severity: 'wrong', what, type });
const warning = (what: string, type: string): Ailment => ({ severity: 'warning', what, type });

const COPY = 'TROTH_KEYRING_COPY_DIR=/another/disk npm start';
/** What lets a key be lost, by the keeper's words. */
const GAPS: Readonly<Record<string, Ailment>> = {
  'one copy of the keyring only: name a second directory': warning(
    'the keyring has one copy: if this disk is lost, nothing can be read again',
    COPY,
  ),
  'both copies are on one disk': warning(
    'both copies of the keyring are on one disk: if it is lost, nothing can be read again',
    COPY,
  ),
  'the second copy is out of reach': wrong(
    'the second copy of the keyring is out of reach: no key is made until it is back',
    'mount its disk again, or: npm start, which makes the copy anew',
  ),
  'the file of the keyring is gone from its directory': wrong(
    'the file of the keyring is gone from its directory: after a stop nothing can be read',
    'stop, put the files of its second copy there, then: npm start',
  ),
  'no recovery kit was made': warning(
    'no recovery kit was made: without it a lost keyring is the end of the data',
    'npm run troth -- keys recovery-kit --out kit.txt',
  ),
};

function ailmentsOfKeys(keys: KeysStatus): Ailment[] {
  const found: Ailment[] = [];
  if (keys.rotationOverdue) {
    const days = Math.floor(keys.ageDays);
    found.push(wrong(`the keys were not rotated for ${days} days`, 'npm run troth -- keys rotate'));
  }
  const gaps = keys.durabilityGaps.map((gap) => GAPS[gap] ?? warning(gap, COPY));
  return [...found, ...gaps];
}

function ailmentsOfLogs({ failures }: AuditHealth): Ailment[] {
  return failures.map(({ tenant, failure, place }) => {
    const whose = tenant === '*' ? 'the audit logs' : `the audit log of ${tenant}`;
    return wrong(`${whose}: ${failure} at ${place}`, 'npm run troth -- audit health');
  });
}

function ailmentsOfRemovals(removals: readonly Removal[]): Ailment[] {
  return removals
    .filter(({ finishedAt }) => finishedAt === null)
    .map(({ tenant }) =>
      wrong(
        `${tenant} is being taken out, and that is not finished`,
        `npm run troth -- service remove ${tenant} --confirm ${tenant}`,
      ),
    );
}

function ailmentsOfJobs(heartbeats: readonly Heartbeat[]): Ailment[] {
  return heartbeats
    .filter(({ lastOutcome }) => lastOutcome === 'abandoned')
    .map(({ job }) =>
      wrong(`the job ${job} failed as often as it may`, 'look for job.failed in the log'),
    );
}

function ailmentsOfPromises({ services, promises, evidence, config }: Needs): Ailment[] {
  const found = services.list().flatMap((service) =>
    promises(service)
      .promises.filter(({ state }) => state === 'broken')
      .map(({ id, saw }) =>
        wrong(
          `${id} of ${service.tenant} is broken: ${saw}`,
          `npm run troth -- prove --promise ${id}`,
        ),
      ),
  );
  if (config.proveEveryMs === 0) {
    found.push(warning('proofs run only when asked', 'unset TROTH_PROVE_EVERY, then: npm start'));
  } else if (!evidence.lastRound()) {
    found.push(warning('the first round of proofs is still running', 'npm run troth -- prove'));
  }
  return found;
}

async function ailmentsOfPlace({ db, clock, config }: Needs): Promise<Ailment[]> {
  const found: Ailment[] = [];
  const { bavail, bsize } = await statfs(config.dataDir);
  if (bavail * bsize < FREE_BYTES_MIN) {
    const free = ((bavail * bsize) / GIB).toFixed(1);
    found.push(wrong(`the data directory’s disk has ${free} GiB left`, 'df -h, and make room'));
  }
  const [row] = await db.sql<{ now: Date }[]>`select clock_timestamp() as now`;
  const skew = Math.abs((row?.now.getTime() ?? 0) - clock.now().getTime());
  if (skew > SKEW_MS_MAX) {
    const what = `PostgreSQL’s clock differs by ${Math.round(skew / 1_000)} s from this machine’s`;
    found.push(wrong(what, 'set both by NTP: limits are counted by them'));
  }
  if (!config.alerts.webhookUrl && !config.alerts.mailTo) {
    const what = 'nobody is told when a promise breaks';
    found.push(warning(what, 'TROTH_ALERT_WEBHOOK_URL=https://… npm start'));
  } else if (!config.publicUrl) {
    const what = 'links in alerts lead to localhost, or are left out';
    found.push(warning(what, 'TROTH_PUBLIC_URL=https://… npm start'));
  }
  return found;
}

function ailmentsOfInbox({ services, pipeline }: Needs): Ailment[] {
  const [first] = services.list();
  const stuck = first ? pipeline.view(first.tenant).inbox.stuck : [];
  return stuck.map(({ rows, engineCode }) =>
    wrong(
      `ClickHouse refuses ${rows} rows (its code ${engineCode}); they are kept apart`,
      'mend its cause, then: npm run troth -- inbox --retry ID',
    ),
  );
}

/** Documents that the start left out, until another revision of their service is in force. */
function ailmentsOfDocuments({ services, leftOut }: Needs): Ailment[] {
  return leftOut
    .filter(({ service, revision }) => services.get(service)?.revision === revision)
    .map(({ says, type, waits }) => (waits ? warning : wrong)(says, type));
}

/** Looks now; what is wrong first. */
export const doctorOf = (needs: Needs) => async (): Promise<Ailment[]> => {
  const { db, keeper, clock } = needs;
  const [keys, logs, heartbeats, removals, place] = await Promise.all([
    keysStatus(keeper, clock.now()),
    auditHealth(db),
    readHeartbeats(db.sql),
    readRemovals(db.sql),
    ailmentsOfPlace(needs),
  ]);
  const found = [
    ...ailmentsOfDocuments(needs),
    ...ailmentsOfPromises(needs),
    ...ailmentsOfKeys(keys),
    ...ailmentsOfLogs(logs),
    ...ailmentsOfJobs(heartbeats),
    ...ailmentsOfRemovals(removals),
    ...ailmentsOfInbox(needs),
    ...place,
  ];
  return found.sort((a, b) => Number(a.severity !== 'wrong') - Number(b.severity !== 'wrong'));
};
