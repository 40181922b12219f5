// SPDX-License-Identifier: Apache-2.0
// Makes the README's picture of the page: node screenshot.mjs [URL] [FILE] [WIDTHxHEIGHT]
// Waits until the map is drawn and an incident with its picture is shown, then takes what an operator sees.
import { fileURLToPath } from 'node:url';
import { listenForComplaints, startBrowser } from './browser.mjs';

const url = process.argv[2] ?? 'http://127.0.0.1:8080';
const file = process.argv[3] ?? fileURLToPath(new URL('../../docs/images/console.png', import.meta.url));
const [width, height] = (process.argv[4] ?? '1280x800').split('x').map(Number);

const browser = await startBrowser();
if (browser === null) {
  console.error('screenshot: no browser at /usr/bin/chromium; install chromium or set CHROMIUM');
  process.exit(2);
}
try {
  const page = await browser.newPage({ viewport: { width, height } });
  const complaints = listenForComplaints(page);
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
