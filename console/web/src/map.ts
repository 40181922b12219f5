// SPDX-License-Identifier: Apache-2.0

import maplibregl, { type GeoJSONSource, type Map as GlMap } from 'maplibre-gl/dist/maplibre-gl-csp';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-csp-worker.js?url';
import 'maplibre-gl/dist/maplibre-gl.css';
import { clock } from './format';
import type { State } from './state';
import { GROUND, mapStyle, SEVERITY_COLOURS, STATUS_COLOURS, TIER_COLOURS } from './style';
import type { Areas, Circles, Cordon, Coverage, Place, Site, Unit } from './types';

maplibregl.setWorkerUrl(workerUrl);

type Features = GeoJSON.FeatureCollection;

const METRES_PER_DEGREE = 111_320;
const SMALL_HOLE_M = 400;

function collection(features: GeoJSON.Feature[]): Features {
  return { type: 'FeatureCollection', features };
}

function point(lon: number, lat: number, properties: Record<string, unknown>): GeoJSON.Feature {
  return { type: 'Feature', geometry: { type: 'Point', coordinates: [lon, lat] }, properties };
}

/** A unit's picture: a disc in the colour of its status, a wedge for its heading, hollow when its place is only "last known". */
function drawUnit(colour: string, heading: boolean, stale: boolean, kind: string): ImageData {
  const size = 56;
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size;
  const g = canvas.getContext('2d')!;
  g.translate(size / 2, size / 2);
  if (heading && !stale) {
    g.fillStyle = colour;
    g.beginPath();
    g.moveTo(0, -26);
    g.lineTo(11, -10);
    g.lineTo(-11, -10);
    g.closePath();
    g.fill();
  }
  g.beginPath();
  g.arc(0, 0, 14, 0, 2 * Math.PI);
  g.fillStyle = stale ? GROUND : colour;
  g.fill();
  g.lineWidth = stale ? 3 : 4;
  g.strokeStyle = stale ? colour : GROUND;
  if (stale) g.setLineDash([5, 4]);
  g.stroke();
  g.setLineDash([]);
  g.fillStyle = stale ? colour : GROUND;
  if (kind === 'motorcycle') {
    g.fillRect(-2.2, -7, 4.4, 14);
  } else if (kind === 'foot') {
    g.beginPath();
    g.arc(0, 0, 4.5, 0, 2 * Math.PI);
    g.fill();
  } else {
    g.beginPath();
    g.roundRect(-4.5, -7, 9, 14, 2.5);
    g.fill();
  }
  return g.getImageData(0, 0, size, size);
}

function drawScene(colour: string): ImageData {
  const size = 64;
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size;
  const g = canvas.getContext('2d')!;
  g.translate(size / 2, size / 2);
  g.rotate(Math.PI / 4);
  g.fillStyle = colour;
  g.strokeStyle = GROUND;
  g.lineWidth = 4;
  g.beginPath();
  g.roundRect(-14, -14, 28, 28, 4);
  g.fill();
  g.stroke();
  g.rotate(-Math.PI / 4);
  g.fillStyle = GROUND;
  g.fillRect(-2.5, -10, 5, 12);
  g.fillRect(-2.5, 5, 5, 5);
  return g.getImageData(0, 0, size, size);
}

/** Whether a hole of an area is a block or a park rather than a river. */
function isSmall(ring: GeoJSON.Position[]): boolean {
  const across = (axis: 0 | 1) => {
    const values = ring.map((at) => at[axis]!);
    return Math.max(...values) - Math.min(...values);
  };
  const longer = Math.max(across(0) * Math.cos(((ring[0]?.[1] ?? 0) * Math.PI) / 180), across(1));
  return longer * METRES_PER_DEGREE < SMALL_HOLE_M;
}

export class CityMap {
  private readonly map: GlMap;
  private ready = false;
  private tiers: number[];
  private framed = '';
  private shownAreas: Areas | undefined;

  constructor(
    container: HTMLElement,
    site: Site,
    private readonly picked: (incident: string) => void,
  ) {
    this.tiers = site.tiers_s;
    this.map = new maplibregl.Map({
      container,
      style: mapStyle(site.attribution ?? '', site.roads_version ?? ''),
      attributionControl: { compact: true },
      dragRotate: false,
      pitchWithRotate: false,
      maxZoom: 18.5,
      fadeDuration: 0,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new maplibregl.NavigationControl({ showCompass: false }), 'bottom-right');
    this.map.addControl(new maplibregl.ScaleControl({ unit: 'metric' }), 'bottom-left');
    this.home(site, false);
    this.map.on('load', () => this.addLayers(site));
    // For tests and pictures: the roads have been drawn at least once.
    this.map.on('render', () => {
      if (this.ready && this.map.areTilesLoaded()) container.dataset['drawn'] = 'yes';
    });
    this.map.on('error', (event) => console.warn('map:', event.error?.message));
  }

  private home(site: Site, animate: boolean): void {
    const bounds = new maplibregl.LngLatBounds();
    if (site.bounds) {
      bounds.extend([site.bounds[0], site.bounds[1]]).extend([site.bounds[2], site.bounds[3]]);
    } else {
      for (const camera of site.cameras) bounds.extend([camera.lon, camera.lat]);
    }
    if (!bounds.isEmpty()) this.map.fitBounds(bounds, { padding: 30, animate, maxZoom: 15 });
  }

  private addLayers(site: Site): void {
    const map = this.map;
    for (const [status, colour] of Object.entries(STATUS_COLOURS))
      for (const kind of ['car', 'motorcycle', 'foot'])
        for (const form of ['still', 'moving', 'stale'])
          map.addImage(`unit-${kind}-${status}-${form}`, drawUnit(colour, form === 'moving', form === 'stale', kind), { pixelRatio: 1.6 });
    for (const [severity, colour] of Object.entries(SEVERITY_COLOURS))
      map.addImage(`scene-${severity}`, drawScene(colour), { pixelRatio: 1.7 });

    const empty = collection([]);
    for (const id of ['tiers', 'borders', 'routes', 'cameras', 'places', 'gaps', 'cordon', 'scenes', 'units'])
      map.addSource(id, { type: 'geojson', data: empty });
    map.addSource('coverage', { type: 'vector', tiles: [`${location.origin}/api/coverage-tiles/{z}/{x}/{y}.mvt`], minzoom: 9, maxzoom: 15 });

    const below = 'small-names';
    const tierColour = ['get', 'colour'] as unknown as string;
    const coverageColours: string[] = this.tiers.flatMap((_, i) => [String(i), TIER_COLOURS[i] ?? '#8a96a3']);
    map.addLayer({ id: 'coverage', type: 'line', source: 'coverage', 'source-layer': 'coverage', layout: { 'line-cap': 'round', visibility: 'none' },
      paint: { 'line-color': ['match', ['get', 'tier'], ...coverageColours, '#7a1f2a'] as unknown as string,
        'line-width': ['interpolate', ['linear'], ['zoom'], 10, 0.8, 15, 3.5], 'line-opacity': 0.7 } }, below);
    map.addLayer({ id: 'gaps', type: 'symbol', source: 'gaps', layout: { 'text-field': ['get', 'label'], 'text-font': ['sans-serif'], 'text-size': 11, visibility: 'none' },
      paint: { 'text-color': '#ff9aa5', 'text-halo-color': GROUND, 'text-halo-width': 1.8 } });
    map.addLayer({ id: 'tier-fill', type: 'fill', source: 'tiers',
      paint: { 'fill-color': tierColour, 'fill-opacity': ['get', 'opacity'], 'fill-antialias': false } }, 'paths');
    // A city's area has hundreds of small holes. They stay out of the colour; their borders come with the zoom, when they can be told apart.
    map.addLayer({ id: 'hole-line', type: 'line', source: 'borders', filter: ['==', ['get', 'small'], true], layout: { 'line-join': 'round' },
      paint: { 'line-color': tierColour, 'line-width': 1, 'line-opacity': ['interpolate', ['linear'], ['zoom'], 13.5, 0, 16, 0.7] } }, below);
    map.addLayer({ id: 'tier-line', type: 'line', source: 'borders', filter: ['==', ['get', 'small'], false], layout: { 'line-join': 'round' },
      paint: { 'line-color': tierColour, 'line-width': 1.6, 'line-opacity': 0.85 } }, below);
    map.addLayer({ id: 'route-halo', type: 'line', source: 'routes', layout: { 'line-join': 'round', 'line-cap': 'round' },
      paint: { 'line-color': GROUND, 'line-width': 8, 'line-opacity': 0.7 } }, below);
    map.addLayer({ id: 'route', type: 'line', source: 'routes', layout: { 'line-join': 'round', 'line-cap': 'round' },
      paint: { 'line-color': ['get', 'colour'], 'line-width': ['get', 'width'], 'line-opacity': ['get', 'opacity'] } }, below);
    map.addLayer({ id: 'places', type: 'circle', source: 'places', minzoom: 12,
      paint: { 'circle-radius': 4, 'circle-color': GROUND, 'circle-stroke-color': '#7c8ea0', 'circle-stroke-width': 1.5 } });
    map.addLayer({ id: 'cameras', type: 'circle', source: 'cameras',
      paint: { 'circle-radius': 5, 'circle-color': ['get', 'colour'], 'circle-stroke-color': GROUND, 'circle-stroke-width': 2 } });
    map.addLayer({ id: 'camera-names', type: 'symbol', source: 'cameras', minzoom: 13,
      layout: { 'text-field': ['get', 'name'], 'text-font': ['sans-serif'], 'text-size': 11, 'text-offset': [0, 1.1], 'text-anchor': 'top', 'text-optional': true },
      paint: { 'text-color': '#b9c4cf', 'text-halo-color': GROUND, 'text-halo-width': 1.5 } });
    map.addLayer({ id: 'units', type: 'symbol', source: 'units',
      layout: { 'icon-image': ['get', 'icon'], 'icon-rotate': ['get', 'course'], 'icon-rotation-alignment': 'map', 'icon-allow-overlap': true,
        'icon-ignore-placement': true, 'icon-size': ['interpolate', ['linear'], ['zoom'], 10, 0.6, 14, 1] } });
    map.addLayer({ id: 'unit-names', type: 'symbol', source: 'units',
      layout: { 'text-field': ['get', 'label'], 'text-font': ['sans-serif'], 'text-size': 11, 'text-offset': [0, 1.15], 'text-anchor': 'top',
        'text-optional': true, 'symbol-sort-key': ['get', 'rank'] },
      paint: { 'text-color': ['get', 'text'], 'text-halo-color': GROUND, 'text-halo-width': 1.6 } });
    map.addLayer({ id: 'cordon', type: 'circle', source: 'cordon',
      paint: { 'circle-radius': ['match', ['get', 'what'], 'leak', 8, 9], 'circle-color': ['match', ['get', 'what'], 'leak', '#3a0f16', '#0f2a4a'],
        'circle-stroke-color': ['match', ['get', 'what'], 'leak', '#ff4d5e', '#8ec5ff'], 'circle-stroke-width': 3 } });
    map.addLayer({ id: 'cordon-names', type: 'symbol', source: 'cordon',
      layout: { 'text-field': ['get', 'label'], 'text-font': ['sans-serif'], 'text-size': 12, 'text-offset': [0, 1.1], 'text-anchor': 'top' },
      paint: { 'text-color': ['match', ['get', 'what'], 'leak', '#ff9aa5', '#cfe6ff'], 'text-halo-color': GROUND, 'text-halo-width': 1.8 } });
    map.addLayer({ id: 'scene-ring', type: 'circle', source: 'scenes', filter: ['==', ['get', 'selected'], true],
      paint: { 'circle-radius': 22, 'circle-color': 'rgba(0,0,0,0)', 'circle-stroke-color': '#ffffff', 'circle-stroke-width': 2, 'circle-stroke-opacity': 0.85 } });
    map.addLayer({ id: 'scenes', type: 'symbol', source: 'scenes',
      layout: { 'icon-image': ['get', 'icon'], 'icon-allow-overlap': true, 'icon-ignore-placement': true } });

    map.on('click', 'scenes', (event) => {
      const id = event.features?.[0]?.properties?.['id'] as string | undefined;
      if (id) this.picked(id);
    });
    map.on('click', 'cameras', (event) => {
      // A scene lies on its camera: it is the one that was meant.
      if (map.queryRenderedFeatures(event.point, { layers: ['scenes'] }).length > 0) return;
      const id = event.features?.[0]?.properties?.['id'] as string | undefined;
      if (id) this.onCamera?.(id);
    });
    map.on('mouseenter', 'cameras', () => (map.getCanvas().style.cursor = 'pointer'));
    map.on('mouseleave', 'cameras', () => (map.getCanvas().style.cursor = ''));
    map.on('mouseenter', 'scenes', () => (map.getCanvas().style.cursor = 'pointer'));
    map.on('mouseleave', 'scenes', () => (map.getCanvas().style.cursor = ''));
    this.set('places', site.places.map((place) => point(place.lon, place.lat, { name: place.name })));
    this.ready = true;
    this.onReady?.();
  }

  onReady: (() => void) | null = null;
  onCamera: ((camera: string) => void) | null = null;

  private set(source: string, features: GeoJSON.Feature[]): void {
    (this.map.getSource(source) as GeoJSONSource | undefined)?.setData(collection(features));
  }

  showUnits(state: State, now: number): void {
    if (!this.ready) return;
    const features: GeoJSON.Feature[] = [];
    for (const unit of state.units.values()) {
      if (unit.lat === undefined || unit.lon === undefined) continue;
      features.push(point(unit.lon, unit.lat, this.look(unit, now)));
    }
    this.set('units', features);
  }

  private look(unit: Unit, now: number): Record<string, unknown> {
    const stale = unit.freshness === 'stale';
    const moving = unit.course_deg !== undefined && (unit.speed_mps ?? 0) > 1;
    const form = stale ? 'stale' : moving ? 'moving' : 'still';
    const age = unit.freshness === 'fresh' ? '' : `  ${clock(now - (unit.fixed_at ?? now))} ago`;
    return {
      icon: `unit-${unit.kind}-${unit.status}-${form}`,
      course: moving && !stale ? (unit.course_deg ?? 0) : 0,
      label: unit.name + age,
      text: stale ? '#7d8894' : '#dce3ea',
      rank: unit.status === 'available' ? 1 : 0,
    };
  }

  showScenes(state: State, selected: string | null): void {
    if (!this.ready) return;
    const features: GeoJSON.Feature[] = [];
    for (const incident of state.incidents.values()) {
      if (!incident.place || (!incident.open && incident.id !== selected)) continue;
      features.push(point(incident.place.lon, incident.place.lat,
        { id: incident.id, icon: `scene-${incident.severity}`, selected: incident.id === selected }));
    }
    this.set('scenes', features);
  }

  showCameras(site: Site, state: State): void {
    if (!this.ready) return;
    this.set('cameras', site.cameras.map((camera) => {
      const health = state.cameras.get(camera.id);
      const colour = !health ? '#5c6773' : health.state === 'live' ? '#58a6ff' : '#ff4d5e';
      return point(camera.lon, camera.lat, { id: camera.id, name: camera.name, colour });
    }));
  }

  showAreas(areas: Areas | undefined): void {
    if (!this.ready || areas === this.shownAreas) return;
    this.shownAreas = areas;
    const tiers = [...(areas?.tiers ?? [])].sort((a, b) => b.tier_s - a.tier_s);
    const fills: GeoJSON.Feature[] = [];
    const borders: GeoJSON.Feature[] = [];
    for (const { tier_s, geometry } of tiers) {
      if (geometry === null) continue;
      const index = Math.max(0, this.tiers.indexOf(tier_s));
      const colour = TIER_COLOURS[index];
      fills.push({ type: 'Feature', geometry, properties: { colour, opacity: 0.15 - 0.02 * index } });
      for (const small of [true, false])
        borders.push({ type: 'Feature', properties: { colour, small },
          geometry: { type: 'MultiLineString', coordinates: geometry.coordinates.flatMap((rings) => rings.filter((ring, i) => (i > 0 && isSmall(ring)) === small)) } });
    }
    this.set('tiers', fills);
    this.set('borders', borders);
  }

  showRoutes(circles: Circles | undefined, assigned: string[], hovered: string | null): void {
    if (!this.ready) return;
    const routes: GeoJSON.Feature[] = [];
    for (const [index, eta] of (circles?.units ?? []).entries()) {
      const chosen = assigned.includes(eta.unit);
      const shown = chosen || eta.unit === hovered || (index < 3 && !eta.excluded && assigned.length === 0 && hovered === null);
      if (!shown || !eta.route || eta.route.length < 2) continue;
      routes.push({ type: 'Feature', geometry: { type: 'LineString', coordinates: eta.route },
        properties: { colour: chosen ? '#58a6ff' : '#c9d4df', width: chosen || eta.unit === hovered ? 4 : 2, opacity: chosen || eta.unit === hovered ? 1 : 0.6 } });
    }
    this.set('routes', routes);
  }

  /** The overlay, or nothing. Tiles are asked for again when the coverage has changed, at most every two seconds. */
  showCoverage(coverage: Coverage | null): void {
    if (!this.ready) return;
    for (const layer of ['coverage', 'gaps']) this.map.setLayoutProperty(layer, 'visibility', coverage ? 'visible' : 'none');
    if (!coverage) return;
    const now = performance.now();
    if (coverage.version !== this.coverageVersion && now - this.coverageAt > 2000) {
      this.coverageVersion = coverage.version;
      this.coverageAt = now;
      this.map.refreshTiles('coverage');
    }
    this.set('gaps', coverage.gaps.map((gap) => point(gap.lon, gap.lat, { label: `${gap.uncovered_km.toFixed(1)} km open` })));
  }
  private coverageVersion = -1;
  private coverageAt = 0;

  showCordon(cordon: Cordon | null): void {
    if (!this.ready) return;
    this.set('cordon', [
      ...(cordon?.points ?? []).map((hold) => point(hold.lon, hold.lat, { what: 'point', label: `${hold.unit}  ${clock(hold.eta_ms)}` })),
      ...(cordon?.leaks ?? []).map((leak) => point(leak.lon, leak.lat, { what: 'leak', label: `open after ${clock(leak.suspect_ms)}` })),
    ]);
  }

  /** Shows the whole cordon. */
  frameCordon(cordon: Cordon): void {
    const bounds = new maplibregl.LngLatBounds([cordon.sighting.lon, cordon.sighting.lat], [cordon.sighting.lon, cordon.sighting.lat]);
    for (const at of [...cordon.points, ...cordon.leaks]) bounds.extend([at.lon, at.lat]);
    this.map.fitBounds(bounds, { padding: 60, maxZoom: 15, duration: 500 });
  }

  /** Brings an incident into view, once for each choice: the map then stays where people put it. */
  frame(incident: string, scene: Place, areas: Areas): void {
    if (this.framed === incident) return;
    this.framed = incident;
    const bounds = new maplibregl.LngLatBounds([scene.lon, scene.lat], [scene.lon, scene.lat]);
    for (const tier of areas.tiers)
      if (tier.geometry && tier.tier_s <= (this.tiers[1] ?? Infinity))
        for (const polygon of tier.geometry.coordinates)
          for (const ring of polygon) for (const [lon, lat] of ring) bounds.extend([lon!, lat!]);
    this.map.fitBounds(bounds, { padding: 50, maxZoom: 15.5, duration: 500 });
  }
}
