// SPDX-License-Identifier: Apache-2.0
// Whether a browser plays a clip as it is: node plays.mjs FILE
// Prints "WIDTHxHEIGHT SECONDS" of what was played to its end, SKIP without a browser, or WRONG and why.
import { readFileSync } from 'node:fs';
import { startBrowser } from './browser.mjs';

const browser = await startBrowser();
if (browser === null) {
  console.log('SKIP no browser');
  process.exit(0);
}
try {
  const page = await browser.newPage();
  await page.goto('about:blank');
  const plays = await page.evaluate(() => document.createElement('video').canPlayType('video/mp4; codecs="avc1.42E01E"'));
  if (!plays) {
    console.log('SKIP this browser plays no H.264');
  } else {
    const played = await page.evaluate(
      (bytes) =>
        new Promise((resolve) => {
          const video = document.createElement('video');
          video.muted = true;
          video.playbackRate = 4;
          video.onerror = () => resolve(`WRONG ${video.error?.message}`);
          video.onended = () => resolve(`${video.videoWidth}x${video.videoHeight} ${video.currentTime.toFixed(2)}`);
          video.src = `data:video/mp4;base64,${bytes}`;
          document.body.append(video);
          video.play().catch((error) => resolve(`WRONG ${error}`));
        }),
      readFileSync(process.argv[2]).toString('base64'),
    );
    console.log(played);
  }
} finally {
  await browser.close();
}
