/**
 * The composition root: takes the foundation, hands it up layer by layer, and listens. It knows
 * everyone; nobody knows it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderPolicy } from '@troth/policy-language';
import type { Clock } from '#base/clock';
import type { TenantId } from '#base/ids';
import { auditHealth, Sequencer } from '#core/audit';
import { finishApplies, openPolicies, reconcilePurposes } from '#core/policy';
import { openTenancy } from '#core/tenancy';
import type { ErasureDeps } from '#domains/rights';
import { alertJob } from '#oversight/alerts';
import { type Availability, openAvailability } from '#oversight/availability';
import { eventRowCounter, openDataMap, openPipelineWatch, readCanaries } from '#oversight/evidence';
import type { RemovalDeps } from '#oversight/removal';
import { runJobs } from '#platform/jobs';
import type { Log } from '#platform/log';
import { localCertificate } from '#platform/tls';
import { openChannels, wayToProof } from './alerts-wiring.ts';
import type { Config } from './config.ts';
import { type Development, greetingOf, keepSession, writeDevelopment } from './development.ts';
import { doctorOf } from './doctor.ts';
import { wireDomains } from './domain-wiring.ts';
import {
  type AppDeps,
  auditRoutes,
  availabilityRoutes,
  createApp,
  doctorRoutes,
  listen,
  metricsRoutes,
  openOperator,
  operatorStore,
  revisionRoutes,
} from './edges/http/index.ts';
import { wireEvidence } from './evidence-wiring.ts';
import type { Foundation } from './foundation.ts';
import { metricsOf } from './metrics.ts';
import { pipelineCounters } from './pipeline-counters.ts';
import { applyFolder, readFolder } from './policy-folder.ts';
import { readinessOf } from './readiness.ts';
import { refusalOf } from './refusals.ts';
import { wireRemovals } from './removal-wiring.ts';
import { catchUp, standingJobs } from './standing-jobs.ts';
import { servicesOf } from './tenants.ts';

export type ServeOptions = {
  config: Config;
  root: string;
  policiesDir: string;
  writeLog(line: string): void;
  progress(text: string): void;
  /** What a person has to see, also where progress is not shown. */
  complain(text: string): void;
  /** Of tests that end the process in the middle of an erasure. */
  afterErasureStep?: ErasureDeps['afterStep'];
  /** The same in the middle of taking a service out. */
  afterRemovalStep?: RemovalDeps['afterStep'];
};

export type Serving = { development: Development; greeting: string; close(): Promise<void> };

const HOSTS = ['localhost', '127.0.0.1', '[::1]'];
const LOOPBACK = '127.0.0.1';
const SECURITY_CONTACT = 'mailto:security@localhost';

/** What `serve` begins with, while the engines start. */
type Begun = {
  stack: AsyncDisposableStack;
  clock: Clock;
  log: Log;
  laying: Promise<Foundation>;
};

/** Puts everything on its foundation and listens. */
export async function compose(
  options: ServeOptions,
  { stack, clock, log, laying }: Begun,
): Promise<Serving> {
  const { config, root, progress, complain } = options;
  const documents = readFolder(options.policiesDir, clock.now());
  const foundation = await laying;
  const { db, events } = foundation;

  progress('Applying the policies …');
  await openTenancy(db, { now: clock.now(), log });
  // Before the first act: one that matters is refused while a log is not what was signed.
  const sequencer = new Sequencer({
    db,
    clock,
    log,
    signer: foundation.signer,
    instance: foundation.instance,
    auditDir: config.auditDir,
    copyDir: join(config.keyringDir, 'checkpoints'),
  });
  stack.defer(() => sequencer.stop());
  await sequencer.start();
  const { afterErasureStep, afterRemovalStep } = options;
  const removing = await wireRemovals(stack, {
    ...foundation,
    clock,
    log,
    config,
    progress,
    afterStep: afterRemovalStep,
  });
  await finishApplies(db, events, clock.now());
  const applying = { db, events, clock, log, progress, complain };
  const leftOut = await applyFolder(options.policiesDir, documents, applying);
  const policies = stack.adopt(await openPolicies(db, { log }), (open) => open.close());
  await reconcilePurposes({ db, events, log }, policies.tenants().map(policies.inForce));
  /** The keys that proofs send with. */
  const verificationKeys = new Set<string>();
  const given = { ...foundation, ...removing, policies, clock, log, config, verificationKeys };
  const { ingest, keys, rights, retention, refusals, routes } = await wireDomains(stack, {
    ...given,
    afterStep: afterErasureStep,
  });
  const needs = { db, policies, clock, keys, rights, retention, keeper: foundation.keeper };
  await catchUp(needs);
  const context = { db, events, policies, clock, log };
  const channels = openChannels(stack, { config, clock });
  const jobs = [...standingJobs({ ...needs, channels }), alertJob(channels, wayToProof(clock))];
  const runner = await runJobs({ db, context, log, jobs });
  stack.defer(() => runner.stop());

  const pipeline = stack.adopt(
    openPipelineWatch({
      counters: pipelineCounters(ingest),
      tenants: () => policies.tenants(),
      clock,
    }),
    (open) => open.close(),
  );
  const operator = openOperator(operatorStore(db), clock);
  const services = servicesOf(policies);
  const proofs = await wireEvidence(stack, {
    ...foundation,
    policies,
    services,
    clock,
    log,
    operator,
    channels,
    config,
    verificationKeys,
  });
  const { evidence, promises } = proofs;
  const { keeper } = foundation;
  const looked = { db, keeper, clock, config, services, promises, evidence, pipeline, leftOut };
  const canaries = (tenant: TenantId) => readCanaries(db.sql, tenant);
  let availability: Availability | undefined;
  const app = createApp({
    log,
    clock,
    operator,
    pipeline,
    recordRefusal: (problem, by) => {
      const refusal = refusalOf(policies, problem, { ...by, key: undefined });
      return refusal && refusals.record(refusal);
    },
    ...pages(root, config),
    promises,
    ready: readinessOf({ ...foundation, dataDir: config.dataDir }),
    domains: [
      ...[...routes, proofs.routes, removing.routes({ policies, ingest })],
      revisionRoutes({ db, services }),
      availabilityRoutes(() => availability),
      ...[metricsRoutes(metricsOf(looked)), doctorRoutes(doctorOf(looked))],
      auditRoutes({
        auditDir: config.auditDir,
        signer: foundation.signer,
        clock,
        services,
        health: () => auditHealth(db),
      }),
    ],
    services,
    dataMap: openDataMap({ counters: [eventRowCounter({ events, canaries })], clock, jobs }),
  });
  const certificate = await localCertificate(join(config.dataDir, 'tls'), clock.now());
  const door = { app, host: LOOPBACK, fastPath: ingest.handler };
  const plain = await listen({ ...door, port: config.httpPort });
  stack.defer(() => plain.close());
  const tls = { key: certificate.key, cert: certificate.chain };
  const secure = await listen({ ...door, port: config.httpsPort, tls });
  stack.defer(() => secure.close());

  const url = `http://localhost:${plain.port}`;
  const measuring = { db, clock, log, ask: `${url}/readyz` };
  availability = stack.adopt(await openAvailability(measuring), (open) => open.close());
  const secureUrl = `https://localhost:${secure.port}`;
  const places = { dataDir: config.dataDir, url, secureUrl, publicUrl: config.publicUrl };
  const developing = { db, ingest, policies, operator, ...places, now: clock.now() };
  const development = await writeDevelopment(developing);
  stack.defer(keepSession(developing, development));
  const risk = await keeper.call('status', { at: clock.now().getTime() });
  proofs.begin({ url, secureUrl, authority: certificate.authority });
  stack.defer(() => progress('Stopping: the jobs, then the engines …'));
  // Before the doors: proofs of a server that is half gone are about nothing.
  stack.defer(() => evidence.close());
  stack.defer(() => progress('Stopping: the proofs …'));
  return {
    development,
    greeting: greetingOf(development, risk),
    close: () => stack.disposeAsync(),
  };
}

/** What the app serves that does not change while it runs. */
function pages(root: string, { publicUrl }: Config) {
  const build = readVersion(root);
  return {
    version: build,
    hosts: publicUrl ? [...HOSTS, new URL(publicUrl).hostname] : HOSTS,
    publicUrl,
    gpcSince: '2026-11-21',
    securityContacts: [SECURITY_CONTACT],
    renderPolicy: (({ policy, revision, appliedAt }, format, { promises }) => {
      const states = Object.fromEntries(promises.map(({ id, state }) => [id, state]));
      const lookedAt =
        promises
          .map(({ provenAt }) => provenAt ?? '')
          .sort()
          .at(-1) || null;
      const standing = { revision, appliedAt: appliedAt.toISOString(), lookedAt, build };
      return renderPolicy(policy, { format, states, standing });
    }) satisfies AppDeps['renderPolicy'],
    consoleDir: join(root, 'console', 'dist'),
    problemsDir: join(root, 'docs', 'problems'),
    sdkDir: join(root, 'sdk', 'dist'),
  };
}

function readVersion(root: string): string {
  const text = readFileSync(join(root, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
