// SPDX-License-Identifier: Apache-2.0
// What the colours on the map mean, and which keys do what.

import { el } from './dom';
import { ago, minutes, words } from './format';
import type { State } from './state';
import { STATUS_COLOURS } from './style';
import type { Circles, Coverage, Site } from './types';

// Beyond this a drawing is not of now any more.
const OLD_MS = 10_000;

export const KEYS: [string, string][] = [
  ['\u2191 \u2193  or  K J', 'choose an incident'],
  ['A', 'acknowledge it'],
  ['1 \u2026 9', 'assign the unit in that place of the ranking'],
  ['L', 'live picture of its camera, and close it again'],
  ['F F', 'false alarm (twice: the first press only asks)'],
  ['C', 'coverage on the map'],
  ['?', 'this list'],
  ['Esc', 'close what lies over the map'],
];

function swatch(kind: string): HTMLElement {
  return el('span', { class: `swatch ${kind}` });
}

function age(computedMs: number, now: number): HTMLElement {
  const old = now - computedMs;
  return el('small', { class: old > OLD_MS ? 'bad-text' : '' }, `drawn ${ago(old)}${old < 2000 ? '' : ' ago'}`);
}

function circlesLegend(site: Site, circles: Circles, now: number): HTMLElement[] {
  return [
    el('b', {}, 'Response areas'),
    ...site.tiers_s.map((tier, i) => {
      const area = circles.tiers?.find((candidate) => candidate.tier_s === tier);
      return el('span', { class: 'legend-row' }, swatch(`area tier-${i}`), el('span', { class: 'grow' }, `within ${minutes(tier)}`),
        el('span', { class: 'muted' }, area ? `${(area.reached_road_m / 1000).toFixed(1)} km of road` : ''));
    }),
    age(circles.computed_ms, now),
  ];
}

function coverageLegend(site: Site, coverage: Coverage, now: number): HTMLElement[] {
  return [
    el('b', {}, 'Coverage by free units'),
    ...site.tiers_s.map((tier, i) => el('span', { class: 'legend-row' }, swatch(`line tier-${i}`), el('span', { class: 'grow' }, `within ${minutes(tier)}`))),
    el('span', { class: 'legend-row' }, swatch('line uncovered'), el('span', { class: 'grow' }, 'nobody in time')),
    age(coverage.computed_ms, now),
  ];
}

/** The legend of what is on the map now. */
export function drawLegend(site: Site, state: State, circles: Circles | undefined, coverage: Coverage | null): HTMLElement[] {
  const now = Date.now() + state.skew;
  const statuses = [...new Set([...state.units.values()].map((unit) => unit.status))].filter((status) => status in STATUS_COLOURS).sort();
  return [
    ...(coverage ? coverageLegend(site, coverage, now) : circles?.tiers?.length ? circlesLegend(site, circles, now) : []),
    ...(statuses.length > 0 ? [el('b', {}, 'Units'),
      el('span', { class: 'legend-units' }, ...statuses.map((status) => el('span', {}, el('span', { class: `dot status-${status}` }), words(status).toLowerCase())),
        el('span', {}, el('span', { class: 'dot hollow' }), 'place too old'))] : []),
  ];
}

export function drawKeys(): HTMLElement[] {
  return [
    el('h3', {}, 'Keys'),
    el('dl', { class: 'keys' }, ...KEYS.flatMap(([key, what]) => [el('dt', {}, key), el('dd', {}, what)])),
  ];
}
