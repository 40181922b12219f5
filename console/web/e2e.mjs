// SPDX-License-Identifier: Apache-2.0
// An operator's first minute, in a real browser: node e2e.mjs URL
// Speaks with the test that started it (tests/integration/console/browser_test.cc): prints READY when it wants the next alert, OK at
// the end, and a sentence on the first thing that is wrong.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const url = process.argv[2];
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
if (!existsSync(executablePath)) {
  console.log('SKIP no browser');
  process.exit(0);
}

function expect(truth, sentence) {
  if (!truth) throw new Error(sentence);
}

const complaints = [];
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(45_000);
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog opened: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url())) complaints.push(`fetched from elsewhere: ${request.url()}`);
  });

  await page.goto(url);
  await page.waitForSelector('.card');
  expect((await page.locator('.card').count()) === 1, 'one incident was there before the page was opened');
  const title = await page.locator('.card-title').first().textContent();
  expect(title.includes('<img src=x onerror=alert(1)>'), `the hostile name is shown as text, not as "${title}"`);
  expect((await page.locator('img[src="x"]').count()) === 0, 'the hostile name became markup');
  await page.waitForSelector('.link.live');

  console.log('READY');
  await page.waitForFunction(() => document.querySelectorAll('.card').length === 2);

  // The keyboard alone is enough: the newest severe incident is selected, A acknowledges, 1 assigns the first unit.
  await page.waitForSelector('.detail .row.eta .primary');
  await page.keyboard.press('a');
  await page.waitForSelector('.detail .badge.state-acknowledged');
  await page.keyboard.press('1');
  await page.waitForSelector('.detail .badge.state-assigned');
  await page.waitForFunction(() => [...document.querySelectorAll('.detail button')].some((button) => button.textContent === 'Release'));

  await page.getByRole('tab', { name: /Units/ }).click();
  await page.waitForFunction(() => document.querySelector('.list .rows')?.textContent?.includes('assigned'));
  await page.waitForSelector('.map[data-drawn="yes"]');
  expect(complaints.length === 0, complaints.join('; '));
  console.log('OK');
} catch (error) {
  console.log(`WRONG ${String(error instanceof Error ? error.message : error).replace(/\s+/g, " ")}; ${complaints.join("; ")}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
