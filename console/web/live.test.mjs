// SPDX-License-Identifier: Apache-2.0
// What the page says of a live picture's age. node --test live.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';
import { build } from 'esbuild';

const bundled = await build({ entryPoints: [new URL('src/live_data.ts', import.meta.url).pathname], bundle: true, format: 'esm', write: false });
const { ageText, readPiece, retryDelay, shownAge } = await import(`data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].contents).toString('base64')}`);

test('a piece begins with the age and what was left out', () => {
  const piece = readPiece(new Uint8Array([0, 0, 1, 44, 0, 0, 0, 7, 0xff, 0xd8]).buffer);
  assert.deepEqual([piece.ageMs, piece.skipped, [...piece.data]], [300, 7, [0xff, 0xd8]]);
});

test('a piece without its header is refused', () => {
  assert.throws(() => readPiece(new Uint8Array([1, 2, 3]).buffer));
});

test('the shown age grows without news and counts what waits to be shown', () => {
  assert.equal(shownAge(100, 0, 0), 100);
  assert.equal(shownAge(100, 5000, 0.5), 5600);
  assert.equal(shownAge(0, 0, -1), 0, 'a player ahead of its data is not from the future');
});

test('stale is said in words', () => {
  assert.equal(ageText(400, false), '0.4 s old');
  assert.equal(ageText(12_400, true), 'STALE: 12 s old');
  assert.equal(ageText(300_000, true), 'STALE: 5 min old');
});

test('attempts to connect again come further apart and go on for ever', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 50].map(retryDelay), [1000, 2000, 4000, 8000, 10_000, 10_000]);
});
