// SPDX-License-Identifier: Apache-2.0
// How good the answers are: false alarms of the rules by operators' verdicts, and how far arrivals were from what was predicted.

import { el } from './dom';
import { ago, words } from './format';
import type { EtaError, Learning, RuleScore } from './types';

const DAY_MS = 86_400_000;
// Fewer days that its camera was watched are no basis for a daily rate: the count is said instead.
const LEAST_DAYS = 1;
// What a rule may cost: more than this of a camera and day is too many.
const MOST_FALSE_A_DAY = 1;

export function falseAlarms(score: RuleScore): string {
  const judged = score.judged_true + score.judged_false;
  if (judged === 0) return 'none judged yet';
  if (score.judged_false === 0) return `${judged} judged, none false`;
  const rate = score.false_per_camera_day ?? 0;
  const often = score.days < LEAST_DAYS ? `in ${ago(score.days * DAY_MS)} of watching` : `= ${rate.toFixed(rate < 10 ? 1 : 0)} a day`;
  return `${score.judged_false} of ${judged} judged false ${often}`;
}

function tooMany(score: RuleScore): boolean {
  return score.days >= LEAST_DAYS && (score.false_per_camera_day ?? 0) > MOST_FALSE_A_DAY;
}

/** The rules of one camera that raised something, with their rate of false alarms. */
export function ruleRows(camera: string, scores: RuleScore[]): HTMLElement | false {
  const own = scores.filter((score) => score.camera === camera);
  if (own.length === 0) return false;
  return el('dl', { class: 'rates' }, ...own.flatMap((score) => [
    el('dt', {}, score.rule),
    el('dd', { class: tooMany(score) ? 'warn' : '', title: `watched for ${ago(score.days * DAY_MS)}` },
      `${score.alerts} ${score.alerts === 1 ? 'alert' : 'alerts'}, ${falseAlarms(score)}`)]));
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

function table(head: string[], rows: (HTMLElement | false)[]): HTMLElement {
  return el('table', {}, el('thead', {}, el('tr', {}, ...head.map((text) => el('th', {}, text)))), el('tbody', {}, ...rows));
}

function cells(error: EtaError, ...first: string[]): HTMLElement {
  const texts = [...first, String(error.arrivals), `${error.p50_s.toFixed(0)} s`, `${error.p90_s.toFixed(0)} s`];
  return el('tr', { class: first.length > 1 && error.hour === undefined ? 'whole' : '' }, ...texts.map((text) => el('td', {}, text)));
}

function byClassAndHour(learning: Learning): HTMLElement {
  return el('details', { 'data-key': 'arrivals' }, el('summary', {}, 'By class of road and hour'),
    table(['mainly on', 'set off', 'arrivals', 'half', '9 of 10'],
      errorRows(learning).map((row) => cells(row, row.class === undefined ? 'all roads' : words(row.class).toLowerCase(), hourText(row.hour)))));
}

/** How far arrivals were from what was predicted: half of them within the first figure, nine of ten within the second. */
export function arrivalBlock(learning: Learning | null): HTMLElement | false {
  if (learning === null) return false;
  const row = (name: string, error: EtaError) => error.arrivals > 0 && cells(error, name);
  return el('section', { class: 'arrivals' },
    el('h3', {}, 'Error of arrival times'),
    learning.learned.arrivals === 0 ? el('small', {}, 'No unit has driven from “en route” to “on scene” yet.')
      : table(['', 'arrivals', 'half within', '9 of 10 within'],
        [row('as shown', learning.promised), row('as learned', learning.learned), row('without learning', learning.prior)]),
    learning.learned.arrivals > 0 && byClassAndHour(learning));
}
