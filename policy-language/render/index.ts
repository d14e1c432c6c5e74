/** The human page of a policy, made from the document that is enforced, with its hash. */
import type { Policy } from '#language/policy';
import { contentOf } from './content.ts';
import { htmlOf } from './html.ts';
import { markdownOf } from './markdown.ts';
import type { Standing, States } from './status.ts';

export { escapeHtml } from './html.ts';
export type { PromiseState } from './page.ts';
export type { Standing } from './status.ts';

export type RenderOptions = {
  readonly format: 'html' | 'markdown';
  /** The state of each promise by id, from evidence; a missing one is printed as a gap. */
  readonly states?: States;
  /** What the running service knows of itself; without it the page has no status. */
  readonly standing?: Standing;
};

/** Renders the page. The HTML is whole, needs nothing else, and allows no script to run. */
export function renderPolicy(policy: Policy, { format, states, standing }: RenderOptions): string {
  const blocks = contentOf(policy, states, standing);
  if (format === 'markdown') return markdownOf(blocks);
  return htmlOf(blocks, `${policy.title}: ${policy.controller.name}`, policy.languages[0] ?? 'en');
}
