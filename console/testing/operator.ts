import type { Page } from 'playwright-core';

/** With TROTH_OPERATOR_TOKEN, the `operatorToken` of development.json, the page is an operator's. */
export async function asOperator(page: Page, origin: string): Promise<void> {
  const value = process.env['TROTH_OPERATOR_TOKEN'];
  if (value) await page.context().addCookies([{ name: 'troth_operator', value, url: origin }]);
}
