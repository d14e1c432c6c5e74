/** Every act that needs leave, and which kinds of actor may be given it. */
export const ACTIONS = {
  'account.sign-in': ['subject', 'system'],
  'archive.read': ['operator', 'system'],
  'audit.read': ['operator', 'system'],
  'canary.write': ['system'],
  'consent.read': ['operator', 'write-key', 'subject', 'system'],
  'consent.record': ['operator', 'write-key', 'subject', 'system'],
  'consent.withdraw': ['operator', 'write-key', 'subject', 'system'],
  'data.sweep': ['system'],
  'enrichment.switch': ['operator', 'system'],
  'event.ingest': ['write-key', 'system'],
  'event.read': ['operator', 'system'],
  'evidence.read': ['operator', 'system'],
  'hold.place': ['operator', 'system'],
  'key.create': ['operator', 'system'],
  'key.destroy': ['operator', 'system'],
  'key.rotate': ['operator', 'system'],
  'inbox.retry': ['operator'],
  'operator.act': ['operator'],
  'operator.sign-in': ['operator'],
  'operator.sign-out': ['operator'],
  'policy.apply': ['operator', 'system'],
  'policy.read': ['operator', 'write-key', 'subject', 'system'],
  'retention.choose': ['operator', 'system'],
  'right.exercise': ['operator', 'subject', 'system'],
  'service.remove': ['operator', 'system'],
  'subject.erase': ['operator', 'write-key', 'system'],
  'subject.link': ['write-key', 'operator', 'system'],
  'vault.open': ['system'],
  'write-key.issue': ['operator', 'system'],
  'write-key.revoke': ['operator', 'system'],
} as const satisfies Record<string, readonly ActorKind[]>;

/**
 * Acts that are refused while the audit log cannot be written, or is not what was signed: those
 * that change what holds for everyone, or that nobody can undo. Events and consent go on.
 */
const PRIVILEGED: ReadonlySet<string> = new Set<keyof typeof ACTIONS>([
  'enrichment.switch',
  'key.create',
  'key.destroy',
  'key.rotate',
  'policy.apply',
  'service.remove',
  'subject.erase',
  'vault.open',
  'write-key.issue',
  'write-key.revoke',
]);

export const isPrivileged = (action: Action): boolean => PRIVILEGED.has(action);

/** A stranger may do nothing; it is who was refused where nobody could be told apart. */
export type ActorKind = 'operator' | 'write-key' | 'subject' | 'system' | 'stranger';
export type Action = keyof typeof ACTIONS;
