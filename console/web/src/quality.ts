// SPDX-License-Identifier: Apache-2.0
// How good the answers are: false alarms of the rules by operators' verdicts, and how far arrivals were from what was predicted.

import { el } from './dom';
import { ago, words } from './format';
import type { EtaError, Learning, RuleScore } from './types';

const DAY_MS = 86_400_000;
// Fewer days are no basis for a daily rate: the count is said instead.
const LEAST_DAYS = 1;
// What a rule may cost: more than this of a camera and day is too many.
const MOST_FALSE_A_DAY = 1;

export function falseAlarms(score: RuleScore): string {
  const judged = score.judged_true + score.judged_false;
  if (judged === 0) return 'none judged yet';
  if (score.judged_false === 0) return `${judged} judged, none false`;
  const rate = score.false_per_camera_day;
  const often = score.days < LEAST_DAYS ? `in ${ago(score.days * DAY_MS)}` : `= ${rate.toFixed(rate < 10 ? 1 : 0)} a day`;
  return `${score.judged_false} of ${judged} judged false ${often}`;
}

function tooMany(score: RuleScore): boolean {
  return score.days >= LEAST_DAYS && score.false_per_camera_day > MOST_FALSE_A_DAY;
}

/** The rules of one camera that raised something, with their rate of false alarms. */
export function ruleRows(camera: string, scores: RuleScore[]): HTMLElement | false {
  const own = scores.filter((score) => score.camera === camera);
  if (own.length === 0) return false;
  return el('dl', { class: 'rates' }, ...own.flatMap((score) => [
    el('dt', {}, score.rule),
    el('dd', { class: tooMany(score) ? 'warn' : '', title: `in the last ${ago(score.days * DAY_MS)}` },
      `${score.alerts} ${score.alerts === 1 ? 'alert' : 'alerts'}, ${falseAlarms(score)}`)]));
}

/** "half within 12 s, 9 of 10 within 41 s" */
export function errorText(error: EtaError): string {
  return `half within ${error.p50_s.toFixed(0)} s, 9 of 10 within ${error.p90_s.toFixed(0)} s`;
}

export function hourText(hour: number | undefined): string {
  return hour === undefined ? 'all day' : `${String(hour).padStart(2, '0')}–${String((hour + 1) % 24).padStart(2, '0')} h`;
}

/** All roads by hour first, then each class of road: its whole day, then its hours. */
export function errorRows(learning: Learning): EtaError[] {
  return [
    ...learning.learned_by_hour,
    ...learning.learned_by_class.flatMap((whole) => [whole, ...learning.learned_by_class_and_hour.filter((one) => one.class === whole.class)]),
  ];
}

function errorTable(learning: Learning): HTMLElement {
  const head = el('tr', {}, ...['mainly on', 'set off', 'arrivals', 'half', '9 of 10'].map((text) => el('th', {}, text)));
  return el('table', {}, el('thead', {}, head), el('tbody', {}, ...errorRows(learning).map((row) =>
    el('tr', { class: row.hour === undefined ? 'whole' : '' },
      el('td', {}, row.class === undefined ? 'all roads' : words(row.class).toLowerCase()), el('td', {}, hourText(row.hour)),
      el('td', {}, String(row.arrivals)), el('td', {}, `${row.p50_s.toFixed(0)} s`), el('td', {}, `${row.p90_s.toFixed(0)} s`)))));
}

export function arrivalBlock(learning: Learning | null): HTMLElement | false {
  if (learning === null) return false;
  const count = learning.learned.arrivals;
  const line = (name: string, error: EtaError) => error.arrivals > 0 && el('small', {}, el('b', {}, `${name} `), errorText(error));
  return el('section', { class: 'arrivals' },
    el('h3', {}, 'Error of arrival times', el('span', { class: 'age' }, `${count} ${count === 1 ? 'arrival' : 'arrivals'}`)),
    count === 0 && el('small', {}, 'No unit has driven from “en route” to “on scene” yet.'),
    line('As shown', learning.promised),
    line('As learned', learning.learned),
    line('Without learning', learning.prior),
    count > 0 && el('details', { 'data-key': 'arrivals' }, el('summary', {}, 'As learned, by class of road and hour'), errorTable(learning)));
}
