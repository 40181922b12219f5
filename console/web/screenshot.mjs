// SPDX-License-Identifier: Apache-2.0
// Makes the README's picture of the page: node screenshot.mjs [URL] [FILE] [WIDTHxHEIGHT]
// Waits until the map is drawn and an incident with its picture is shown, then takes what an operator sees.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const url = process.argv[2] ?? 'http://127.0.0.1:8080';
const file = process.argv[3] ?? fileURLToPath(new URL('../../docs/images/console.png', import.meta.url));
const [width, height] = (process.argv[4] ?? '1280x800').split('x').map(Number);

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
if (!existsSync(executablePath)) {
  console.error(`screenshot: no browser at ${executablePath}; install chromium or set CHROMIUM`);
  process.exit(2);
}
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--hide-scrollbars'],
});
try {
  const page = await browser.newPage({ viewport: { width, height } });
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  await page.waitForSelector('.card', { timeout: 60_000 });
  await page.waitForSelector('.detail .row.eta', { timeout: 60_000 });
  await page.waitForFunction(() => [...document.images].every((image) => image.complete), null, { timeout: 30_000 });
  await page.waitForSelector('.map[data-drawn="yes"]', { timeout: 60_000 });
  await page.screenshot({ path: file });
  console.log(`screenshot: ${file}`);
  for (const complaint of complaints) console.error(`the page complained: ${complaint}`);
  if (complaints.length > 0) process.exitCode = 1;
} finally {
  await browser.close();
}
