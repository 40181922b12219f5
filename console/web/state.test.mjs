// SPDX-License-Identifier: Apache-2.0
// The page's picture of the world: no alert lost, none twice, whatever the feed does. node --test state.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';
import { build } from 'esbuild';

const bundled = await build({ entryPoints: [new URL('src/state.ts', import.meta.url).pathname], bundle: true, format: 'esm', write: false });
const { State } = await import(`data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].contents).toString('base64')}`);

const alert = (id, incident = 'i') => ({ number: Number(id), id, incident, kind: 'intrusion' });
const snapshot = (n, alerts, more = {}) => ({
  type: 'snapshot', n, t: Date.now(), run: 'r', alerts, incidents: [], circles: [], areas: [], notices: [], cameras: [], units: [], latest: {}, last_test: null, ...more,
});
const update = (n, type, body) => ({ n, t: Date.now(), type, [type]: body });

test('a repeated update changes nothing', () => {
  const state = new State();
  state.reset(snapshot(5, [alert('1')]), 0);
  assert.equal(state.apply(update(6, 'alert', alert('2')), 0), true);
  assert.equal(state.apply(update(6, 'alert', alert('3')), 0), true);
  assert.deepEqual([...state.alerts.keys()], ['1', '2']);
});

test('a missing number asks for a new snapshot and applies nothing', () => {
  const state = new State();
  state.reset(snapshot(5, []), 0);
  assert.equal(state.apply(update(7, 'alert', alert('9')), 0), false);
  assert.equal(state.alerts.size, 0);
  assert.equal(state.number, 5);
});

test('a snapshot replaces everything, also what was removed meanwhile', () => {
  const state = new State();
  state.reset(snapshot(5, [alert('1')], { incidents: [{ id: 'i', open: true }], notices: [{ number: 1, cleared_ms: 0 }] }), 0);
  state.reset(snapshot(2, [alert('2')]), 0);
  assert.deepEqual([...state.alerts.keys()], ['2']);
  assert.equal(state.incidents.size, 0);
  assert.equal(state.notices.size, 0);
  assert.equal(state.apply(update(3, 'alert', alert('4')), 0), true, 'numbers start anew with another run');
});

test('areas come after the response times and go with their incident', () => {
  const state = new State();
  state.reset(snapshot(1, [], { circles: [{ incident: 'i', units: [] }], areas: [{ incident: 'j', tiers: [] }] }), 0);
  assert.equal(state.areas.get('i'), undefined, 'not drawn yet');
  state.apply(update(2, 'areas', { incident: 'i', tiers: [{ tier_s: 60 }] }), 0);
  state.apply(update(3, 'circles', { incident: 'i', units: [{ unit: 'car-1' }] }), 0);
  assert.equal(state.areas.get('i').tiers.length, 1);
  assert.equal(state.circles.get('i').units[0].unit, 'car-1');
  state.apply(update(4, 'incident', { incident: { id: 'i', open: false } }), 0);
  assert.deepEqual([state.circles.size, [...state.areas.keys()]], [0, ['j']]);
});

test('ages are counted on from when the message came', () => {
  const state = new State();
  state.reset(snapshot(1, [], { units: [{ id: 'car-1', age_ms: 4000, freshness: 'fresh' }] }), 10_000);
  assert.equal(state.units.get('car-1').fixed_at, 6000);
});

test('a cleared notice goes, a status change reaches the unit', () => {
  const state = new State();
  state.reset(snapshot(1, [], { units: [{ id: 'car-1', status: 'available', incident: '' }], notices: [{ number: 7, cleared_ms: 0 }] }), 0);
  state.apply(update(2, 'notice', { number: 7, cleared_ms: 5 }), 0);
  state.apply(update(3, 'unit', { unit: 'car-1', status: 'en_route', incident: 'i' }), 0);
  assert.equal(state.notices.size, 0);
  assert.equal(state.units.get('car-1').status, 'en_route');
});

test('an unknown kind of update is kept and does no harm', () => {
  const state = new State();
  state.reset(snapshot(1, []), 0);
  assert.equal(state.apply(update(2, 'weather', { rain: true }), 0), true);
  assert.deepEqual(state.latest.weather, { rain: true });
});
