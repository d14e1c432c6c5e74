/** The five real policies: what the linter must find in them as written, and how it was decided. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  blocksApply,
  type codes,
  compile,
  documentOf,
  lint,
  readPolicy,
} from '@troth/policy-language';
import { parse } from 'yaml';
import { assertTeaches } from '#language/testing/documents';

type Expected = readonly (readonly [
  about: string,
  code: keyof typeof codes,
  lines: readonly number[],
])[];

const SEEDS: Readonly<Record<string, Expected>> = {
  clanker: [
    ['client-side encryption of what the server must use', 'contradiction/sealing-classes', [33]],
    ['zero sharing beside processors', 'ambiguity/sharing-scope', [34]],
    ['anonymised analytics over rows about one agent', 'false-claim/anonymised-events', [28]],
    ['addresses inside longer-lived rows', 'retention/conflict', []],
    ['notices to people without e-mail', 'ambiguity/notice-channel', [19]],
    ['bcrypt beyond 72 bytes', 'security/bcrypt-truncates', [31]],
    ['a fingerprint without tracking', 'contradiction/fingerprint', [13]],
    ['one age for every country', 'ambiguity/age-by-jurisdiction', [62]],
  ],
  conducktr: [
    ['Fernet called AES-256', 'false-claim/fernet-is-aes-128', [29]],
    ['several keys claimed of one', 'false-claim/multi-key-vault', [137]],
    ['a backup that outlives the purge', 'contradiction/backup-outlives-deletion', [168]],
    ['audit years beside complete deletion', 'contradiction/audit-outlives-erasure', [173]],
    ['hashed addresses called anonymous', 'false-claim/hashed-address', [263]],
    ['Do Not Track and necessary processors', 'ambiguity/do-not-track-scope', [271]],
    ['an immediate purge beside backups', 'contradiction/purge-and-backups', [181]],
    ['72 hours from an unnamed moment', 'ambiguity/incident-clock-start', [157]],
    ['addresses in brackets', 'placeholder/unfilled', [326, 327]],
    ['everyone sees all actions', 'contradiction/shared-audit-view', [196]],
    ['two transfer tools', 'contradiction/transfer-tools', [279]],
    ['a number that is configurable', 'ambiguity/configurable-value', [172, 256]],
  ],
  workorders: [
    ['periods and rates without a number', 'quantity/undefined', [27, 33, 40, 52, 52, 59]],
    ['content that is read and never stored', 'contradiction/content-not-stored', [52]],
    ['what an accepted work order is', 'ambiguity/accepted-work-order', [6]],
    ['no rights of people', 'section/missing-rights', []],
    ['no contact', 'section/missing-contact', []],
    ['no retention', 'section/missing-retention', []],
    ['no officer', 'section/missing-officer', []],
  ],
  magenta: [
    ['90 days and 2 years called 2 years', 'retention/tiers-differ', []],
    ['a table row without its service', 'prose/table-row-short', [102]],
    ['immediate and recoverable', 'contradiction/immediate-and-recoverable', [115, 133]],
    ['35 days from an unnamed moment', 'ambiguity/backup-purge-start', [140]],
    ['limits by an address that is gone', 'contradiction/address-still-needed', [34]],
    ['a time zone without a switch', 'ambiguity/enrichment-always-on', [51]],
    ['a replica in another region', 'ambiguity/replica-elsewhere', [57]],
    ['tokens that outlive a logout', 'security/token-not-revocable', [82]],
    ['shared by default beside separation', 'contradiction/shared-by-default', [87]],
    ['ticks without evidence', 'false-claim/certificates', [149, 150, 151, 152, 153]],
    ['the names of the sibling services', 'ambiguity/service-identities', [11]],
  ],
  loopkit: [
    ['a mode that would keep for longer', 'retention/several-stated', [257]],
    ['monitoring on where consent is required', 'contradiction/default-on-under-consent', [134]],
    ['federated learning without sharing', 'contradiction/gradient-sharing', [334]],
    ['thresholds of 5, 10 and 20', 'ambiguity/thresholds-differ', [248]],
    ['noise without epsilon', 'quantity/no-epsilon', [240]],
    ['a hashed e-mail called anonymous', 'false-claim/hashed-email', [232]],
    ['preferences with two names', 'ambiguity/preference-names', [135]],
    ['withdrawing what is required', 'contradiction/withdraw-all', [144]],
    ['a clock of 4 hours', 'ambiguity/incident-clock-unusual', [290]],
    ['no location, yet a region', 'contradiction/location', [259]],
    ['a range that is an instant', 'ambiguity/range-is-instant', [152]],
    ['deletion without an id', 'ambiguity/delete-without-id', [162]],
    ['addresses in brackets', 'placeholder/unfilled', [404, 408]],
  ],
};

const textOf = (file: string) =>
  readFileSync(new URL(`../../policies/${file}`, import.meta.url), 'utf8');

function seed(service: string) {
  const { policy, findings } = readPolicy(textOf(`${service}.yaml`), { file: `${service}.yaml` });
  assert.ok(policy, JSON.stringify(findings));
  const { resolves: _, ...written } = documentOf(policy);
  const asWritten = written as Parameters<typeof compile>[0];
  const prose = textOf(`${service}.md`);
  const undecided = lint(compile(structuredClone(asWritten)), prose);
  return { asWritten, prose, decided: lint(policy, prose), undecided };
}

for (const [service, expected] of Object.entries(SEEDS)) {
  const { asWritten, prose, decided, undecided } = seed(service);

  for (const [about, code, lines] of expected) {
    test(`${service}: ${about} is found as written and settled by a recorded decision`, () => {
      const open = undecided.filter((finding) => finding.code === code);
      assert.ok(open.length > 0, `${code} was not raised`);
      assert.ok(open.every(({ state }) => state === 'open'));
      const stands = open.map(({ quote }) => quote?.line).filter((line) => line !== undefined);
      assert.deepEqual(
        stands.sort((a, b) => a - b),
        [...lines],
      );
      for (const finding of decided.filter((each) => each.code === code)) {
        assert.equal(finding.state, 'resolved', finding.message);
        assert.ok(finding.resolution?.because);
      }
    });
  }

  test(`${service}: every error says what is expected, and shows it; a decision shown settles it`, () => {
    const errors = undecided.filter(({ severity }) => severity === 'error');
    assertTeaches(errors);
    for (const { code, example, promises } of errors) {
      if (!example?.startsWith('{ finding:')) continue;
      const decisions = [parse(example) as object];
      const again = lint(
        compile(structuredClone({ ...asWritten, resolves: decisions }) as typeof asWritten),
        prose,
      );
      const same = again.filter(
        (one) => one.code === code && one.promises?.join() === promises?.join(),
      );
      assert.ok(same.length > 0 && same.every(({ state }) => state === 'resolved'), example);
    }
  });

  test(`${service}: as written nothing may be applied; with its decisions nothing is left open`, () => {
    assert.equal(blocksApply(undecided), true);
    const left = decided.filter(({ severity, state }) => severity !== 'note' && state === 'open');
    assert.deepEqual(left, []);
  });
}
