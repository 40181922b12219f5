// SPDX-License-Identifier: Apache-2.0
// An operator's first minute, in a real browser: node e2e.mjs URL [FOLDER for screenshots, or CORDON_SCREENSHOTS]
// Speaks with the test that started it (tests/integration/console/browser_test.cc): prints READY when it wants the next alert, OK at
// the end, and a sentence on the first thing that is wrong.
import { checkPage, expect } from './browser.mjs';

const [url, folder = process.env.CORDON_SCREENSHOTS] = process.argv.slice(2);
const SIZES = [[1280, 800], [1920, 1080], [390, 844]];

await checkPage({ width: 1280, height: 800 }, async (page, complaints) => {
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
  await page.waitForFunction(() => /Reached in.*1 min.*km/.test(document.querySelector('#legend')?.textContent ?? ''));

  // What was unfolded stays so while the page draws itself anew every second.
  await page.locator('.hold summary').click();
  await page.locator('.hold input').fill('case 12/7');
  await page.waitForFunction((clock) => document.querySelector('.clock')?.textContent !== clock, await page.locator('.clock').textContent());
  expect((await page.locator('.hold input').inputValue()) === 'case 12/7' && (await page.locator('.hold input').isVisible()), 'the unfolded part was folded again');

  // A verdict reaches the rates of the camera's rules.
  await page.getByRole('tab', { name: /Cameras/ }).click();
  await page.waitForFunction(() => document.querySelector('.list .rates')?.textContent?.includes('none judged yet'));
  await page.locator('.verdict').getByRole('button', { name: 'False' }).click();
  await page.waitForFunction(() => [...document.querySelectorAll('.list .rates')].some((rates) => rates.textContent.includes('1 of 1 judged false in')));

  await page.getByRole('tab', { name: /Units/ }).click();
  await page.waitForFunction(() => document.querySelector('.list .rows')?.textContent?.includes('assigned'));
  await page.waitForFunction(() => document.querySelector('.list .arrivals')?.textContent?.includes('No unit has driven'));
  await page.waitForSelector('.map[data-drawn="yes"]');

  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height });
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(beyond <= 0, `at ${width}x${height} the page is ${beyond} pixels wider than the screen`);
    if (folder) await page.screenshot({ path: `${folder}/console-${width}.png` });
  }
});
