/** A person with the operator's link walks through the console of one service, in Chromium. */
import assert from 'node:assert/strict';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { RunningServer } from '#testing/running';

const executablePath = process.env['TROTH_CHROMIUM'];

/** For `test(…, { skip })`: why no browser test can run here, or false. */
export const noChromium = executablePath
  ? false
  : 'no Chromium: TROTH_CHROMIUM does not name one (npm test looks for it)';

export function openChromium(): Promise<Browser> {
  assert.ok(executablePath);
  const args = ['--no-sandbox', '--disable-background-networking'];
  return chromium.launch({ executablePath, args });
}

export type Walk = {
  /** How many promises the service has made. */
  promises: number;
  /** One of them, to be opened, and a part of what it says. */
  open: readonly [id: string, says: string];
  /** Titles of data types with the rows that were just sent. */
  rows: Readonly<Record<string, number>>;
  /** Reasons for drops, as the page words them. */
  drops: readonly string[];
  /** The linter has nothing to say of the document. */
  flawless?: true;
};

/** Everything that a page must not do: complain, call a stranger, come without a policy. */
function watch(page: Page, origin: string): string[] {
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (line) => {
    // What could not be loaded is told below, with its address.
    const told = line.text().startsWith('Failed to load resource');
    if (line.type() === 'error' && !told) complaints.push(line.text());
  });
  page.on('request', (request) => {
    const to = new URL(request.url());
    if (to.origin !== origin) complaints.push(`third party: ${to.origin}`);
  });
  page.on('response', (answer) => {
    if (answer.status() >= 400) complaints.push(`${answer.status()} for ${answer.url()}`);
    const policy = answer.headers()['content-security-policy'] ?? '';
    if (answer.request().isNavigationRequest() && !policy.includes("default-src 'none'")) {
      complaints.push(`no content security policy: ${answer.url()}`);
    }
  });
  return complaints;
}

async function settled(page: Page): Promise<void> {
  await page.waitForSelector('main h1, main h2');
  await page.waitForSelector('.skeleton', { state: 'detached' });
  await page.waitForSelector('main[aria-busy="false"]');
}

/** The operator's link works once: the second width goes on in the same session. */
export async function walkConsole(
  { server, tenant }: { readonly server: RunningServer; readonly tenant: string },
  walk: Walk,
): Promise<void> {
  const browser = await openChromium();
  try {
    const context = await browser.newContext();
    for (const width of [1440, 375]) {
      const page = await context.newPage();
      await page.setViewportSize({ width, height: 900 });
      const complaints = watch(page, server.url);
      await page.goto(width === 1440 ? server.operatorLink : server.url);
      await page.waitForURL(`${server.url}/`);
      await settled(page);
      const look = async () => {
        const wide = Number(await page.evaluate('document.documentElement.scrollWidth'));
        if (wide > width) complaints.push(`${page.url()} is ${wide} px wide at ${width} px`);
      };
      await walkService(page, tenant, walk, look);
      await page.goto(`${server.url}/v1/t/${tenant}/policy.html`);
      await look();
      assert.equal(await page.locator('th:empty').count(), 0, 'a heading that heads nothing');
      assert.deepEqual(complaints, [], `at ${width} px`);
      await page.close();
    }
  } finally {
    await browser.close();
  }
}

async function walkService(page: Page, tenant: string, walk: Walk, look: () => Promise<void>) {
  const tab = async (name: RegExp) => {
    const link = page.locator('nav.tabs').getByRole('link', { name });
    await link.click();
    await page.locator('nav.tabs [aria-current="page"]').and(link).waitFor();
    await settled(page);
    await look();
  };
  await look();
  await page.locator(`main a[href="/services/${tenant}/promises"]`).first().click();
  await settled(page);
  assert.equal(await page.locator('li.promise').count(), walk.promises, 'all promises are listed');
  const tabs = (await page.locator('nav.tabs').textContent()) ?? '';
  assert.match(tabs, new RegExp(`Promises\\s+${walk.promises}(?!\\d)`));

  const [id, says] = walk.open;
  await page.locator(`#${id} button.quote`).click();
  const panel = page.locator(`#about-${id}`);
  await panel.waitFor();
  const quote = (await page.locator(`#${id} button.quote`).textContent()) ?? '';
  assert.ok(quote.includes(says), `${id} says “${quote}”`);
  await look();

  await tab(/^Findings/);
  const findings = await page.locator('li.finding').count();
  assert.equal(await page.locator('li.finding .state-gap').count(), 0, 'nothing is open');
  if (walk.flawless) assert.equal(findings, 0, 'the linter found nothing');
  else assert.ok((await page.locator('li.finding .resolved').count()) > 0, 'decisions are shown');

  await tab(/^Data map/);
  for (const [title, rows] of Object.entries(walk.rows)) {
    const row = page.locator('table.data-map tr', { has: page.getByText(title, { exact: true }) });
    const shown = await row.locator('td.number').first().textContent();
    assert.equal(shown?.replaceAll(/\D/g, ''), String(rows), `rows of ${title}`);
  }

  await tab(/^Pipeline/);
  const reasons = (await page.locator('table.drops').allTextContents()).join(' ');
  for (const says of walk.drops) assert.ok(reasons.includes(says), `${says}, of: ${reasons}`);
}
