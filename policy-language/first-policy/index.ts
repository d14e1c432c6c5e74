/**
 * A first policy: from a few answers, the document of a service that has none yet, with the prose
 * that says the same in words. Every sentence in it is bound to something that looks.
 *
 * It is meant to be edited: the document explains itself in comments.
 */
export type { FirstPolicy, Kept } from './answers.ts';
export { firstPolicy, firstPolicyComplaint } from './write.ts';
