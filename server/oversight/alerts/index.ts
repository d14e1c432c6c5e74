/**
 * Alerts: the operator is told when a promise breaks, and when it holds again.
 *
 * What there is to tell is put into the queue in the transaction that records the finding, so that
 * no crash swallows it; each channel is tried again until it has taken it. An alert holds ids,
 * figures and words of the policy, and nothing of a person.
 */
export { type Alert, alertJob, type Channel, tellOperator } from './alert.ts';
export { mailChannel } from './by-mail.ts';
export { webhookChannel } from './by-webhook.ts';
export { alertProblem } from './errors.ts';
