// SPDX-License-Identifier: Apache-2.0
// Valhalla's half of the comparison: the same places as queries.json, one thread.
import { readFileSync, writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { Actor } from '@valhallajs/valhallajs';

const [configFile, queriesFile, outFile] = process.argv.slice(2);
const queries = JSON.parse(readFileSync(queriesFile, 'utf8'));
const actor = await Actor.fromConfigFile(configFile);
const place = ([lat, lon]) => ({ lat, lon, search_cutoff: 200 });

async function timed(run) {
  const began = performance.now();
  const result = await run();
  return [performance.now() - began, result];
}
const parsed = (answer) => (typeof answer === 'string' ? JSON.parse(answer) : answer);

const isochrone_ms = [];
let failed = 0;
for (const origin of queries.origins) {
  try {
    const [ms] = await timed(() => actor.isochrone({
      locations: [place(origin)], costing: 'auto', polygons: true, reverse: true, generalize: 0, denoise: 0,
      contours: [{ time: 1 }, { time: 3 }, { time: 5 }],
    }));
    isochrone_ms.push(ms);
  } catch (error) {
    ++failed;
  }
}
const matrix_ms = [];
const matrix_s = [];
for (const scene of queries.scenes) {
  try {
    const [ms, answer] = await timed(() => actor.matrix({
      sources: queries.units.map(place), targets: [place(scene)], costing: 'auto', verbose: true,
    }));
    matrix_ms.push(ms);
    matrix_s.push(parsed(answer).sources_to_targets.map((row) => row[0].time));
  } catch (error) {
    ++failed;
    matrix_s.push(null);
    if (failed === 1) console.error(`valhalla: ${error.message}`);
  }
}
writeFileSync(outFile, JSON.stringify({ isochrone_ms, matrix_ms, matrix_s, failed }));
