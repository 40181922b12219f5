// SPDX-License-Identifier: Apache-2.0
// The map's look: a dark, quiet ground on which circles, units and scenes stand out. Tiles come from this server, letters from the
// machine's own fonts: nothing is fetched from anywhere else.

import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl';

export const GROUND = '#0d1218';

// From fast to slow. Told apart by lightness too, not by hue alone.
export const TIER_COLOURS = ['#2fd27a', '#f2c14e', '#e8734a', '#b0589c', '#7f6fd6', '#5b8def', '#5b9db5', '#8a96a3'];

export const SEVERITY_COLOURS: Record<string, string> = {
  critical: '#ff4d5e',
  high: '#ff7d4a',
  medium: '#f2b83d',
  low: '#5fb0f5',
  info: '#8a96a3',
};

export const STATUS_COLOURS: Record<string, string> = {
  available: '#38c6a8',
  assigned: '#f2b83d',
  acknowledged: '#f2b83d',
  en_route: '#58a6ff',
  on_scene: '#c58af9',
  busy: '#a87c5a',
  returning: '#7fa5a0',
  out_of_service: '#5c6773',
};

const FONT = ['sans-serif'];

function byZoom(...stops: number[]): ExpressionSpecification {
  return ['interpolate', ['exponential', 1.5], ['zoom'], ...stops] as ExpressionSpecification;
}

function road(id: string, classes: string[], colour: string, width: ExpressionSpecification, minzoom: number): LayerSpecification {
  return {
    id,
    type: 'line',
    source: 'roads',
    'source-layer': 'roads',
    minzoom,
    filter: ['in', ['get', 'class'], ['literal', classes]],
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: { 'line-color': colour, 'line-width': width },
  };
}

function names(id: string, classes: string[], size: number, minzoom: number): LayerSpecification {
  return {
    id,
    type: 'symbol',
    source: 'roads',
    'source-layer': 'roads',
    minzoom,
    filter: ['all', ['has', 'name'], ['in', ['get', 'class'], ['literal', classes]]],
    layout: {
      'symbol-placement': 'line',
      'symbol-spacing': 380,
      'text-field': ['get', 'name'],
      'text-font': FONT,
      'text-size': size,
      'text-max-angle': 30,
      'text-padding': 8,
    },
    paint: { 'text-color': '#8b98a7', 'text-halo-color': GROUND, 'text-halo-width': 1.6 },
  };
}

const BIG = ['motorway', 'trunk'];
const MAIN = ['primary', 'secondary'];
const SMALL = ['tertiary', 'unclassified', 'residential', 'living_street'];
const LEAST = ['service', 'track', 'pedestrian'];

export function mapStyle(attribution: string, version: string): StyleSpecification {
  return {
    version: 8,
    sources: {
      roads: {
        type: 'vector',
        tiles: [`${location.origin}/api/tiles/{z}/{x}/{y}.mvt?v=${encodeURIComponent(version)}`],
        minzoom: 8,
        maxzoom: 15,
        attribution,
      },
    },
    layers: [
      { id: 'ground', type: 'background', paint: { 'background-color': GROUND } },
      { id: 'park', type: 'fill', source: 'roads', 'source-layer': 'areas', filter: ['==', ['get', 'kind'], 'park'],
        paint: { 'fill-color': '#111c1a' } },
      { id: 'water', type: 'fill', source: 'roads', 'source-layer': 'areas', filter: ['==', ['get', 'kind'], 'water'],
        paint: { 'fill-color': '#12293d' } },
      road('paths', ['path', 'steps'], '#1a222b', byZoom(14, 0.4, 18, 2), 14.5),
      road('least', LEAST, '#1c252f', byZoom(12, 0.4, 16, 3, 18, 7), 13),
      road('small', SMALL, '#252f3b', byZoom(11, 0.4, 14, 1.6, 16, 5, 18, 12), 11),
      road('main', MAIN, '#344252', byZoom(9, 0.6, 13, 2.2, 16, 8, 18, 16), 8),
      road('big', BIG, '#44566b', byZoom(8, 0.8, 13, 3, 16, 10, 18, 20), 8),
      names('small-names', SMALL, 10.5, 14.5),
      names('main-names', MAIN, 11.5, 13),
      names('big-names', BIG, 12, 12),
      { id: 'sites', type: 'symbol', source: 'roads', 'source-layer': 'sites', minzoom: 14,
        layout: { 'text-field': ['get', 'name'], 'text-font': FONT, 'text-size': 10.5, 'text-max-width': 9, 'text-optional': true },
        paint: { 'text-color': '#74838f', 'text-halo-color': GROUND, 'text-halo-width': 1.4 } },
    ],
  };
}
