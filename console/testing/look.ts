/**
 * Takes a picture of every screen, narrow and wide, light and dark, into the folder named first.
 * `node console/testing/look.ts FOLDER [URL] [SCREEN…]`; without a URL it shows the fixture.
 */
import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { startFixture } from '#console/testing/fixture-server.ts';
import { asOperator } from '#console/testing/operator.ts';

const [folder = '/tmp/troth-look', given, ...only] = process.argv.slice(2);
const SCREENS: Record<string, string> = {
  overview: '/',
  promises: '/services/clanker/promises',
  open: '/services/clanker/promises?open=CW-09',
  many: '/services/loopkit/promises?state=broken',
  findings: '/services/magenta/findings',
  policy: '/services/clanker/policy',
  data: '/services/clanker/data',
  pipeline: '/services/magenta/pipeline',
  palette: '/services/magenta/promises',
  keys: '/services/magenta/promises',
};

mkdirSync(folder, { recursive: true });
const fixture = given?.startsWith('http')
  ? null
  : await startFixture(0, { operator: true, honest: given === 'honest' });
const origin = fixture ? `http://localhost:${(fixture.address() as AddressInfo).port}` : given;
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium' });
for (const width of [375, 1440])
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    await asOperator(page, String(origin));
    page.on('console', (line) => line.type() === 'error' && console.error(line.text()));
    page.on('pageerror', (error) => console.error(error.message));
    for (const [name, path] of Object.entries(SCREENS)) {
      if (only.length > 0 && !only.includes(name)) continue;
      await page.goto(`${origin}${path}`);
      await page.waitForSelector('main h1, main h2');
      await page.waitForTimeout(250);
      const wide = await page.evaluate('document.documentElement.scrollWidth');
      if (Number(wide) > width) console.error(`${name} at ${width}: ${wide} px wide`);
      if (name === 'palette') await page.keyboard.press('Control+k');
      if (name === 'keys') await page.keyboard.press('?');
      await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`) });
    }
    await page.close();
  }
await browser.close();
fixture?.close();
