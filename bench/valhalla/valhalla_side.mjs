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

// One request for all three contours. Cordon's answer has every island and hole, at the detail of its
// cells: generalize 0 and denoise 0 ask for the same (by default Valhalla keeps one ring of each
// contour and thins it; a third of the origins show that this costs it no less).
let failed = 0;
async function isochrones(origins, detail) {
  const times = [];
  for (const origin of origins) {
    try {
      const [ms] = await timed(() => actor.isochrone({
        locations: [place(origin)], costing: 'auto', polygons: true, reverse: true,
        contours: [{ time: 1 }, { time: 3 }, { time: 5 }], ...detail,
      }));
      times.push(ms);
    } catch (error) {
      ++failed;
    }
  }
  return times;
}
const isochrone_ms = await isochrones(queries.origins, { generalize: 0, denoise: 0 });
const thinned_ms = await isochrones(queries.origins.filter((_, i) => i % 3 === 0), {});
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
writeFileSync(outFile, JSON.stringify({ isochrone_ms, thinned_ms, matrix_ms, matrix_s, failed }));
