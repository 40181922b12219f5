// SPDX-License-Identifier: Apache-2.0
// What the colours on the map mean, and which keys do what.

import { el } from './dom';
import { ago, minutes, words } from './format';
import type { State } from './state';
import { STATUS_COLOURS } from './style';
import type { Areas, Coverage, Site } from './types';

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

function item(kind: string, ...text: (string | HTMLElement)[]): HTMLElement {
  return el('span', { class: 'legend-item' }, swatch(kind), ...text);
}

function kilometres(metres: number): string {
  const km = metres / 1000;
  return `${km < 100 ? km.toFixed(1) : km.toFixed(0)} km`;
}

function areasLegend(site: Site, areas: Areas): HTMLElement {
  return el('div', { class: 'legend-row', title: 'Road from which the scene is reached in time' },
    el('b', {}, 'Reached in'),
    ...site.tiers_s.map((tier, i) => {
      const area = areas.tiers.find((candidate) => candidate.tier_s === tier);
      return item(`area tier-${i}`, minutes(tier), el('span', { class: 'muted' }, area ? kilometres(area.reached_road_m) : ''));
    }));
}

function coverageLegend(site: Site, coverage: Coverage, now: number): HTMLElement {
  return el('div', { class: 'legend-row' },
    el('b', {}, 'Covered in'),
    ...site.tiers_s.map((tier, i) => item(`line tier-${i}`, minutes(tier))),
    item('line uncovered', 'nobody in time'),
    age(coverage.computed_ms, now));
}

/** The legend of what is on the map now: as few lines as it takes, for it lies over the map. */
export function drawLegend(site: Site, state: State, areas: Areas | undefined, coverage: Coverage | null): HTMLElement[] {
  const now = Date.now() + state.skew;
  const units = [...state.units.values()];
  const statuses = [...new Set(units.map((unit) => unit.status))].filter((status) => status in STATUS_COLOURS).sort();
  const rows: HTMLElement[] = [];
  if (coverage) rows.push(coverageLegend(site, coverage, now));
  else if (areas?.tiers.length) rows.push(areasLegend(site, areas));
  if (statuses.length > 0)
    rows.push(el('div', { class: 'legend-row' }, el('b', {}, 'Units'),
      ...statuses.map((status) => el('span', { class: 'legend-item' }, el('span', { class: `dot status-${status}` }), words(status).toLowerCase())),
      ...(units.some((unit) => unit.freshness === 'stale') ? [el('span', { class: 'legend-item' }, el('span', { class: 'dot hollow' }), 'place too old')] : [])));
  return rows;
}

export function drawKeys(): HTMLElement[] {
  return [
    el('h3', {}, 'Keys'),
    el('dl', { class: 'keys' }, ...KEYS.flatMap(([key, what]) => [el('dt', {}, key), el('dd', {}, what)])),
  ];
}
