// SPDX-License-Identifier: Apache-2.0
// The live picture in a real browser: node live.e2e.mjs URL [FOLDER for screenshots]
// Speaks with the test that started it (tests/integration/live/live_browser_test.cc): prints WATCHING when the camera may die, OK at
// the end, and a sentence on the first thing that is wrong.
import { checkPage, expect } from './browser.mjs';

const [url, folder = process.env.CORDON_SCREENSHOTS] = process.argv.slice(2);

await checkPage({ width: 1440, height: 900 }, async (page) => {
  const shot = (name) => folder && page.screenshot({ path: `${folder}/${name}.png` });

  await page.goto(url);
  await page.getByRole('tab', { name: /Cameras/ }).click();
  await page.waitForFunction(() => [...document.querySelectorAll('.list .row .good-text')].filter((word) => word.textContent === 'live').length === 2);
  const live = (name) => page.locator('.list .row', { hasText: name }).getByRole('button', { name: 'Live' });

  // A masked camera: pictures, and the reason.
  await live('Camera yard').click();
  await page.waitForFunction(() => (document.querySelector('#live img.live-picture')?.naturalWidth ?? 0) > 0);
  await page.waitForFunction(() => document.querySelector('.live-foot')?.textContent.includes('privacy masks'));
  const masked = await page.evaluate(() => {
    const picture = document.querySelector('#live img.live-picture');
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
    const g = canvas.getContext('2d');
    g.drawImage(picture, 0, 0);
    return [...g.getImageData(canvas.width / 4, canvas.height / 2, 1, 1).data].slice(0, 3);
  });
  expect(masked.every((part) => part < 40), `the masked half shows ${masked}`);
  await shot('live-masked');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#live', { state: 'hidden' });

  // An open one: its own packets where the browser plays H.264, pictures and why where it does not.
  await live('Camera gate').click();
  const plays = await page.evaluate(() => 'MediaSource' in window && MediaSource.isTypeSupported('video/mp4; codecs="avc1.42E01E"'));
  if (plays) {
    await page.waitForFunction(() => (document.querySelector('#live video')?.currentTime ?? 0) > 1);
    const sizes = await page.evaluate(() => [document.querySelector('#live video').videoWidth, document.querySelector('#live video').videoHeight]);
    expect(sizes.join('x') === '640x360', `the video is ${sizes.join('x')}`);
  } else {
    await page.waitForFunction(() => document.querySelector('.live-foot')?.textContent.includes('no H.264'));
    await page.waitForFunction(() => (document.querySelector('#live img.live-picture')?.naturalWidth ?? 0) > 0);
  }
  await page.waitForFunction(() => /^\d+\.\d s old$/.test(document.querySelector('.live-age.fresh')?.textContent ?? ''));
  await shot('live');

  console.log('WATCHING');
  await page.waitForFunction(() => document.querySelector('.live-age.stale')?.textContent.startsWith('STALE'));
  expect(await page.evaluate(() => document.querySelector('.live-stage').classList.contains('stale')), 'the stale picture is greyed');
  await shot('live-stale');
});
