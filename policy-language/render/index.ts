/** The human page of a policy, made from the document that is enforced, with its hash. */
import type { Policy } from '#language/policy';
import { contentOf, type States } from './content.ts';
import { htmlOf } from './html.ts';
import { markdownOf } from './markdown.ts';

export type { PromiseState } from './page.ts';

export type RenderOptions = {
  readonly format: 'html' | 'markdown';
  /** The state of each promise by id, from evidence; a missing one is printed as a gap. */
  readonly states?: States;
};

/** Renders the page. The HTML is whole, needs nothing else, and allows no script to run. */
export function renderPolicy(policy: Policy, { format, states }: RenderOptions): string {
  const blocks = contentOf(policy, states);
  if (format === 'markdown') return markdownOf(blocks);
  return htmlOf(blocks, `${policy.title}: ${policy.controller.name}`, policy.languages[0] ?? 'en');
}
