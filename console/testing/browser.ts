/**
 * Looks at the built console in a real browser: axe on every screen, in both themes and two widths,
 * and the keyboard from one end to the other. `node console/testing/browser.ts [URL]`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { startFixture } from '#console/testing/fixture-server.ts';
import { asOperator } from '#console/testing/operator.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const SCREENS = ['promises', 'promises?open=CW-09', 'findings', 'policy', 'data', 'pipeline'];
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

type Violation = { id: string; nodes: { target: string[]; failureSummary: string }[] };
type Check = { name: string; complaints: string[] };
const checks: Check[] = [];

async function ready(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page.waitForSelector('main h1, main h2');
  await page.waitForSelector('.skeleton', { state: 'detached' });
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = (await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] })
       .then(({ violations }) => violations)`,
  )) as Violation[];
  return found.flatMap(({ id, nodes }) =>
    nodes.slice(0, 4).map(({ target, failureSummary }) => `${id} ${target}: ${failureSummary}`),
  );
}

async function axeChecks(browser: Browser, origin: string): Promise<void> {
  const paths = [
    '/',
    ...SCREENS.map((screen) => `/services/clanker/${screen}`),
    '/services/x/data',
  ];
  for (const width of [375, 1440])
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
      await asOperator(page, origin);
      const loud: string[] = [];
      page.on('pageerror', ({ message }) => loud.push(message));
      // The browser itself reports the 404 of the service that is not there.
      page.on('console', (line) => {
        if (line.type() === 'error' && !/status of 404/.test(line.text())) loud.push(line.text());
      });
      page.on('request', (request) => {
        if (!request.url().startsWith(origin)) loud.push(`third party: ${request.url()}`);
      });
      for (const path of paths) {
        await ready(page, origin + path);
        const wide = Number(await page.evaluate('document.documentElement.scrollWidth'));
        const complaints = [...(await violations(page)), ...loud.splice(0)];
        if (wide > width) complaints.push(`${wide} px wide`);
        checks.push({ name: `axe ${path} ${width} px ${colorScheme}`, complaints });
      }
      await page.close();
    }
}

/** Each step: what is pressed, and an expression that must then become true. */
const WALK: [keys: string[], holds: string][] = [
  [['g', 'p'], "location.pathname === '/services/clanker/promises'"],
  [['j', 'j', 'Enter'], "document.querySelector('.promise.open')?.id === 'CW-02'"],
  [['k', 'Enter'], "document.querySelector('.promise.open')?.id === 'CW-01'"],
  [['Enter'], "!document.querySelector('.promise.open')"],
  [['/', 'b', 'c', 'r', 'y'], "location.search === '?q=bcry'"],
  [['Escape', 'g', 'f'], "location.pathname === '/services/clanker/findings'"],
  [['g', 't'], "location.pathname === '/services/clanker/policy'"],
  [['g', 'd'], "location.pathname === '/services/clanker/data'"],
  [['g', 'l'], "location.pathname === '/services/clanker/pipeline'"],
  [[']'], "location.pathname === '/services/conducktr/pipeline'"],
  [['?'], "document.querySelector('dialog.keys[open]')"],
  [['Escape'], "!document.querySelector('dialog')"],
  [['Control+k', 'm', 'a', 'g', 'e', 'n'], "document.querySelector('.palette [role=option]')"],
  [['Enter'], "location.pathname === '/services/magenta/promises'"],
  [['g', 'o'], "location.pathname === '/'"],
];

async function keyboardChecks(browser: Browser, origin: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await asOperator(page, origin);
  await ready(page, `${origin}/`);
  for (const [keys, holds] of WALK) {
    for (const key of keys) {
      await page.keyboard.press(key);
      await page.waitForTimeout(40);
    }
    const complaints = await page
      .waitForFunction(holds, undefined, { timeout: 3_000 })
      .then(() => [])
      .catch(async () => [`not so: ${holds}, at ${page.url()}`]);
    checks.push({ name: `keys ${keys.join(' ')}`, complaints });
    await page.waitForSelector('main[aria-busy="false"]');
  }
  await page.goBack();
  const back = new URL(page.url()).pathname;
  const complaints = back === '/services/magenta/promises' ? [] : [`back leads to ${back}`];
  checks.push({ name: 'back leads to the screen before', complaints });
  await page.close();
}

const executablePath = CHROMIUM.find((path) => existsSync(path));
if (!executablePath) {
  console.log('no Chromium on this machine\n0 passed, 0 failed, 1 skipped');
  process.exit(0);
}
const [given] = process.argv.slice(2);
const fixture = given ? null : await startFixture(0, { operator: true, honest: false });
const address = fixture?.address() as AddressInfo | undefined;
const origin = given ?? `http://localhost:${address?.port}`;
const browser = await chromium.launch({ executablePath });
await axeChecks(browser, origin);
await keyboardChecks(browser, origin);
await browser.close();
fixture?.close();
fixture?.closeAllConnections();

const failed = checks.filter(({ complaints }) => complaints.length > 0);
for (const { name, complaints } of failed) console.log(`✖ ${name}\n  ${complaints.join('\n  ')}`);
console.log(`${checks.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 ? 1 : 0;
