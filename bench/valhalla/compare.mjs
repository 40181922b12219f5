// SPDX-License-Identifier: Apache-2.0
// Both halves side by side.
import { readFileSync } from 'node:fs';

const [cordon, valhalla] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));
const at = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? NaN : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
};
const row = (name, ours, theirs) => {
  const ratio = at(theirs, 0.5) / at(ours, 0.5);
  console.log(`${name.padEnd(36)} cordon p50 ${at(ours, 0.5).toFixed(3)} p99 ${at(ours, 0.99).toFixed(3)} ms (${ours.length})   `
    + `valhalla p50 ${at(theirs, 0.5).toFixed(1)} p99 ${at(theirs, 0.99).toFixed(1)} ms (${theirs.length})   ${ratio.toFixed(0)} x faster`);
};
row('isochrone 1-3-5 min, polygons', cordon.isochrone_ms, valhalla.isochrone_ms);
row('the same as GeoJSON text', cordon.isochrone_text_ms, valhalla.isochrone_ms);
row('the same, valhalla by its defaults', cordon.isochrone_text_ms, valhalla.thinned_ms);
row('matrix 200 units x 1 scene', cordon.matrix_ms, valhalla.matrix_ms);

// Travel times of pairs that both can drive, between one and thirty minutes.
const ratios = [];
let onlyOne = 0;
cordon.matrix_s.forEach((ours, scene) => {
  const theirs = valhalla.matrix_s[scene];
  if (theirs === null) return;
  ours.forEach((seconds, unit) => {
    const other = theirs[unit];
    if ((seconds === null) !== (other === null || other === undefined)) ++onlyOne;
    if (seconds === null || other === null || other === undefined || other < 60 || other > 1800) return;
    ratios.push(seconds / other);
  });
});
const off = ratios.map((r) => Math.max(r, 1 / r));
console.log(`travel times, ${ratios.length} pairs: cordon / valhalla median ${at(ratios, 0.5).toFixed(3)}, p10 ${at(ratios, 0.1).toFixed(3)}, `
  + `p90 ${at(ratios, 0.9).toFixed(3)}; off by p90 ${at(off, 0.9).toFixed(3)} x; ${onlyOne} pairs only one engine could drive; `
  + `${valhalla.failed} requests valhalla refused`);
