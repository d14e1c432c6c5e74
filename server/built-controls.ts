/**
 * The controls that this version enforces, each by the folder named. A promise bound to one without
 * a proof is a gap that says so, and a promise bound to any other name is a gap that says that
 * nothing keeps it.
 */
import type { ControlName } from '#core/promises';

const BY_FOLDER: Readonly<Record<string, readonly ControlName[]>> = {
  'domains/ingest': [
    'access.key-scopes',
    'ingest.declared-fields-only',
    'ingest.event-stored',
    'ingest.value-reduced',
    'ingest.content-stripped',
    'ingest.no-person',
    'ingest.address-forgotten',
    'ingest.enrichment',
    'ingest.stages',
    'ingest.request-checked',
    'ingest.endpoint',
    'ingest.accounted',
    'ingest.minor-refused',
    'ingest.logs-sanitised',
    'ingest.sources-typed',
    'web.rate-limit',
    'identify.mode-refuses',
    'identify.default-mode',
    'identify.unlinkable',
    'identify.sessions-linked',
    'identify.traits-limited',
    'identify.consent-first',
  ],
  'domains/consent': [
    'consent.asked-first',
    'consent.default',
    'consent.switch',
    'consent.required-purpose',
    'consent.per-purpose',
    'consent.withdrawn',
    'consent.signal',
    'consent.mode',
    'consent.scope-chosen',
  ],
  'core/keys': ['encryption.at-rest', 'keys.rotate', 'keys.apart', 'keys.two-wraps'],
  'core/purposes': [
    'access.least-grants',
    'purpose.basis',
    'purpose.bound-reads',
    'purpose.holds-only',
    'purpose.stated',
  ],
  'core/tenancy': [
    'tenancy.no-crossing',
    'tenancy.own-schema',
    'tenancy.row-security',
    'tenancy.own-endpoint',
  ],
  'core/audit': [
    'access.reads-logged',
    'audit.append-only',
    'audit.same-transaction',
    'tenancy.service-logs',
  ],
  'core/policy': [
    'changes.current-at-address',
    'changes.history-kept',
    'changes.notice-period',
    'changes.revision-first',
    'changes.revision-recorded',
    'policy.claim-shows-evidence',
    'policy.date-from-revision',
    'policy.practices-public',
    'policy.rendered-as-enforced',
    'policy.status-measured',
    'purpose.columns-mapped',
    'purpose.forbidden',
  ],
  'oversight/availability': ['oversight.availability'],
  'edges/http': [
    'encryption.tls',
    'encryption.forward-secrecy',
    'web.cookies-declared',
    'web.csrf',
    'web.first-party-only',
    'web.headers',
    'web.https-only',
    'web.input-inert',
    'web.no-store',
    'web.security-txt',
  ],
  sdk: ['sdk.call', 'sdk.library', 'sdk.system-fields', 'sdk.no-fingerprint'],
};

export const BUILT_CONTROLS: ReadonlySet<string> = new Set(Object.values(BY_FOLDER).flat());
