// SPDX-License-Identifier: Apache-2.0
// The list on the left and the selected incident on the right, drawn from the state.

import { operatorName } from './api';
import { el } from './dom';
import { ago, clock, metres, minutes, SEVERITIES, timeOfDay, words } from './format';
import { arrivalBlock, ruleRows } from './quality';
import type { State } from './state';
import type { Alert, Camera, Circles, Cordon, Incident, Learning, RuleScore, Site, UnitEta } from './types';

export type Tab = 'incidents' | 'units' | 'cameras';

export interface View {
  state: State;
  site: Site;
  selected: string | null;
  tab: Tab;
  busy: boolean;
  rules: RuleScore[];
  learning: Learning | null;
  act: (verb: string, body?: Record<string, unknown>) => void;
  judge: (alert: string, verdict: boolean) => void;
  hold: (alert: string, held: boolean, reason: string) => void;
  contain: () => void;
  watched: string | null;
  watch: (camera: string) => void;
  /** Whether this verb has just been asked about: the next press is the answer. */
  sure: (verb: string) => boolean;
  select: (incident: string) => void;
  show: (tab: Tab) => void;
  hover: (unit: string | null) => void;
}

function serverNow(state: State): number {
  return Date.now() + state.skew;
}

export function sortedIncidents(state: State): Incident[] {
  const open = (incident: Incident) => (incident.open ? 1 : 0);
  const severity = (incident: Incident) => (incident.state === 'new' ? SEVERITIES.indexOf(incident.severity) + 1 : 0);
  return [...state.incidents.values()].sort(
    (a, b) => open(b) - open(a) || severity(b) - severity(a) || b.opened_ms - a.opened_ms,
  );
}

function reachable(circles: Circles | undefined, tier: number): number {
  return (circles?.units ?? []).filter((eta) => !eta.excluded && eta.eta_ms > 0 && eta.eta_ms <= tier * 1000).length;
}

function tierChips(site: Site, circles: Circles | undefined): HTMLElement {
  return el('div', { class: 'chips' },
    ...site.tiers_s.map((tier, i) => {
      const count = reachable(circles, tier);
      return el('span', { class: `chip tier-${i}${count === 0 ? ' none' : ''}`, title: `units that can be there within ${minutes(tier)}` },
        el('b', {}, minutes(tier)), circles ? ` ${count}` : ' –');
    }));
}

function picture(alert: Alert | undefined, size: string): HTMLElement {
  if (!alert?.snapshot) return el('div', { class: `picture ${size} empty` }, 'no picture');
  return el('img', { class: `picture ${size}`, src: `/api/alerts/${encodeURIComponent(alert.id)}/snapshot.jpg`, alt: `picture of ${alert.camera}`, loading: 'lazy' });
}

function card(view: View, incident: Incident): HTMLElement {
  const alert = view.state.alertsOf(incident.id)[0];
  const selected = incident.id === view.selected;
  return el('li', {},
    el('button', {
      class: `card ${incident.severity} ${incident.open ? '' : 'closed'} ${incident.state === 'new' ? 'fresh' : ''} ${selected ? 'selected' : ''}`,
      'data-key': `card-${incident.id}`,
      'aria-pressed': selected ? 'true' : 'false',
      onclick: () => view.select(incident.id),
    },
      picture(alert, 'small'),
      el('div', { class: 'card-text' },
        el('div', { class: 'card-title' }, incident.title),
        el('div', { class: 'card-facts' },
          el('span', { class: `badge state-${incident.state}` }, words(incident.state)),
          el('span', {}, ago(serverNow(view.state) - incident.opened_ms)),
          incident.alert_count > 1 && el('span', {}, `${incident.alert_count} alerts`)),
        incident.open && tierChips(view.site, view.state.circles.get(incident.id)))));
}

function incidentList(view: View): HTMLElement {
  const incidents = sortedIncidents(view.state);
  if (incidents.length === 0) return el('p', { class: 'nothing' }, 'No incidents. Cameras are being watched.');
  return el('ul', { class: 'cards', 'data-scroll': 1 }, ...incidents.map((incident) => card(view, incident)));
}

function unitList(view: View): HTMLElement {
  const now = performance.now();
  const units = [...view.state.units.values()].sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
  if (units.length === 0) return el('p', { class: 'nothing' }, 'No unit has reported yet.');
  return el('ul', { class: 'rows', 'data-scroll': 1 },
    ...units.map((unit) => el('li', { class: `row ${unit.freshness}` },
      el('span', { class: `dot status-${unit.status}` }),
      el('span', { class: 'grow' }, el('b', {}, unit.name), ` ${words(unit.status).toLowerCase()}`),
      el('span', { class: 'muted' }, unit.speed_mps === undefined ? '' : `${Math.round(unit.speed_mps * 3.6)} km/h`),
      el('span', { class: `age ${unit.freshness}` }, unit.freshness === 'never' ? 'no fix' : ago(now - (unit.fixed_at ?? now))))));
}

/** How old something of a camera is now, given its age when its node spoke. */
function evidenceAge(ageMs: number, heard: number): string {
  return ageMs < 0 ? 'never' : ago(ageMs + Math.max(0, heard));
}

function cameraFacts(health: Camera, heard: number): (HTMLElement | false)[] {
  const size = health.width > 0 ? `${health.width}×${health.height} ${health.codec}, ` : '';
  const shedding = health.weakened_rules.length > 0;
  return [
    el('small', {}, `${size}${health.received_fps.toFixed(0)} fps in, ${health.analysed_fps.toFixed(1)} analysed, ${health.decode_mode === 'full' ? 'every picture decoded' : 'key frames decoded'}`),
    el('small', {}, `key frame ${evidenceAge(health.last_key_frame_age_ms, heard)}, packet ${evidenceAge(health.last_packet_age_ms, heard)}`),
    shedding && el('small', { class: 'warn' }, `overload: ${health.frames_shed} pictures shed, weakened: ${health.weakened_rules.join(', ')}`),
  ];
}

function cameraList(view: View): HTMLElement {
  if (view.site.cameras.length === 0) return el('p', { class: 'nothing' }, 'No cameras in this site.');
  return el('ul', { class: 'rows', 'data-scroll': 1 },
    ...view.site.cameras.map((camera) => {
      const health = view.state.cameras.get(camera.id);
      const heard = health ? serverNow(view.state) - health.heard_ms : Infinity;
      const lost = heard > 5000;
      const state = !health ? 'its node was not heard of' : lost ? `no word from its node for ${ago(heard)}` : words(health.state);
      const live = health?.state === 'live' && !lost;
      const watched = view.watched === camera.id;
      return el('li', { class: 'row tall' },
        el('span', { class: `dot ${live ? 'good' : 'bad'}` }),
        el('span', { class: 'grow' },
          el('span', { class: 'camera-name' }, el('b', {}, camera.name), el('span', { class: live ? 'good-text' : 'bad-text' }, live ? 'live' : '')),
          !live && el('small', { class: 'bad-text' }, [state, lost ? '' : health?.reason].filter(Boolean).join(': ')),
          ...(health ? cameraFacts(health, heard) : [])),
        el('button', { class: `small ${watched ? 'on' : ''}`, 'data-key': `watch-${camera.id}`, 'aria-pressed': watched ? 'true' : 'false',
          onclick: () => view.watch(camera.id) }, watched ? 'Close' : 'Live'),
        ruleRows(camera.id, view.rules));
    }));
}

export function drawList(view: View): (HTMLElement | false)[] {
  const openCount = [...view.state.incidents.values()].filter((incident) => incident.open).length;
  const tabs: [Tab, string][] = [
    ['incidents', `Incidents ${openCount}`],
    ['units', `Units ${view.state.units.size}`],
    ['cameras', `Cameras ${view.site.cameras.length}`],
  ];
  const content = view.tab === 'incidents' ? [incidentList(view)] : view.tab === 'units' ? [unitList(view), arrivalBlock(view.learning)] : [cameraList(view)];
  return [
    el('nav', { class: 'tabs', role: 'tablist' },
      ...tabs.map(([tab, label]) => el('button', { role: 'tab', class: tab === view.tab ? 'on' : '', 'aria-selected': tab === view.tab ? 'true' : 'false',
        'data-key': `tab-${tab}`, onclick: () => view.show(tab) }, label))),
    ...content,
  ];
}

function etaRow(view: View, incident: Incident, eta: UnitEta): HTMLElement {
  const index = view.site.tiers_s.indexOf(eta.tier_s);
  const assigned = incident.units.includes(eta.unit);
  const unit = view.state.units.get(eta.unit);
  const known = eta.eta_ms > 0;
  return el('li', { class: `row eta ${eta.excluded ? 'out' : ''}`, 'data-key': `eta-${incident.id}-${eta.unit}`, onmouseenter: () => view.hover(eta.unit), onmouseleave: () => view.hover(null) },
    el('span', { class: `time tier-${index < 0 ? 'none' : index}` }, known ? clock(eta.eta_ms) : '–'),
    el('span', { class: 'grow' }, el('b', {}, unit?.name ?? eta.unit),
      el('small', {}, eta.excluded ? eta.excluded
        : `${clock(eta.eta_low_ms)}–${clock(eta.eta_high_ms)} ${eta.distance_m > 0 ? `· ${metres(eta.distance_m)} ` : ""}· ${words(eta.status).toLowerCase()}`)),
    assigned
      ? el('button', { class: 'small', 'data-key': `release-${incident.id}-${eta.unit}`, disabled: view.busy, onclick: () => view.act('release', { unit: eta.unit }) }, 'Release')
      : incident.open && !eta.excluded && el('button', { class: 'small primary', 'data-key': `assign-${incident.id}-${eta.unit}`, disabled: view.busy,
          onclick: () => view.act('assign', { unit: eta.unit }) }, 'Assign'));
}

function unitRanking(view: View, incident: Incident): HTMLElement {
  const circles = view.state.circles.get(incident.id);
  if (!circles) return el('p', { class: 'nothing' }, incident.open ? 'Response times are being computed.' : 'This incident is closed.');
  if (circles.off_network) return el('p', { class: 'nothing warn' }, 'No road lies near the scene: no response time can be given.');
  const age = serverNow(view.state) - circles.computed_ms;
  const [inside, outside] = [circles.units.filter((eta) => !eta.excluded), circles.units.filter((eta) => eta.excluded)];
  return el('div', { class: 'ranking' },
    el('h3', {}, 'Who can be there', el('span', { class: `age ${age > 10000 ? 'stale' : ''}` }, `positions ${ago(age)}`)),
    circles.units.length === 0 && el('p', { class: 'nothing warn' }, 'No unit has reported its position: nobody can be ranked.'),
    el('ul', { class: 'rows', 'data-scroll': 1 }, ...inside.slice(0, 12).map((eta) => etaRow(view, incident, eta)),
      ...outside.slice(0, 8).map((eta) => etaRow(view, incident, eta))));
}

/** The newest cordon when it is about this incident: by its name, or asked for by hand at its place. */
export function cordonOf(state: State, incident: Incident | undefined): Cordon | null {
  const cordon = state.latest['contain'] as Cordon | undefined;
  if (!cordon || !incident?.place) return null;
  if (cordon.incident) return cordon.incident === incident.id && incident.open ? cordon : null;
  const near = Math.abs(cordon.sighting.lat - incident.place.lat) < 1e-5 && Math.abs(cordon.sighting.lon - incident.place.lon) < 1e-5;
  return near && incident.open ? cordon : null;
}

function cordonBlock(view: View, cordon: Cordon): HTMLElement {
  const left = cordon.expires_ms - serverNow(view.state);
  const closed = cordon.outcome === 'closed' || cordon.outcome === 'enclosed';
  return el('section', { class: `cordon ${left <= 0 ? 'expired' : ''}` },
    el('h3', {}, 'Cordon (advice)', el('span', { class: `age ${left <= 0 ? 'stale' : ''}` }, left <= 0 ? 'expired: ask again' : `holds if sent within ${clock(left)}`)),
    el('p', {}, closed ? `Closes with ${cordon.points.length} points.` : `Cannot close: catches ${Math.round(cordon.covered_probability * 100)} % of the likely ways.`),
    el('ul', { class: 'rows' },
      ...cordon.points.map((hold) => el('li', { class: 'row' }, el('span', { class: 'time tier-1' }, clock(hold.eta_ms)),
        el('span', { class: 'grow' }, el('b', {}, hold.unit), el('small', {}, `${hold.roads || 'unnamed junction'} · ${Math.round(hold.slack_ms / 1000)} s to spare`)))),
      ...cordon.leaks.slice(0, 5).map((leak) => el('li', { class: 'row' }, el('span', { class: 'time bad-text' }, 'open'),
        el('span', { class: 'grow' }, leak.roads || 'unnamed junction', el('small', {}, `${Math.round(leak.route_share * 100)} % of the likely ways`))))),
    el('details', {}, el('summary', {}, 'Assumptions'), el('ul', { class: 'assumptions' }, ...cordon.assumptions.map((text) => el('li', {}, text)))));
}

function facts(alert: Alert): HTMLElement {
  const stages = alert.stages_ms;
  const latency = stages['published'] ?? stages['circles'] ?? stages['delivered'];
  return el('dl', { class: 'facts' },
    el('dt', {}, 'Camera'), el('dd', {}, `${alert.camera} · rule ${alert.rule}`),
    el('dt', {}, 'Why'), el('dd', {}, alert.explanation.rule || alert.detail || words(alert.kind)),
    el('dt', {}, 'Detector'), el('dd', {}, `${alert.explanation.detector || 'built in'}${alert.explanation.score > 0 ? `, score ${alert.explanation.score.toFixed(2)}` : ''}`),
    latency !== undefined && el('dt', {}, 'Latency'),
    latency !== undefined && el('dd', {}, `${Math.round(latency)} ms from the camera's frame`));
}

function evidence(alert: Alert): HTMLElement | false {
  if (!alert.evidence) return false;
  if (alert.evidence.failure) return el('p', { class: 'muted' }, `no clip: ${alert.evidence.failure}`);
  return el('a', { class: 'button', href: `/api/clips/${encodeURIComponent(alert.id)}.mp4?actor=${encodeURIComponent(operatorName())}`, target: '_blank', rel: 'noopener' },
    `Clip, ${alert.evidence.duration_s.toFixed(0)} s`);
}

function verdict(view: View, alert: Alert): HTMLElement {
  if (alert.verdict !== undefined)
    return el('span', { class: `badge ${alert.verdict ? 'true' : 'false'}` }, alert.verdict ? 'judged real' : 'judged false alarm');
  return el('span', { class: 'verdict' },
    el('button', { class: 'small', 'data-key': `judge-true-${alert.id}`, disabled: view.busy, onclick: () => view.judge(alert.id, true) }, 'Real'),
    el('button', { class: 'small', 'data-key': `judge-false-${alert.id}`, disabled: view.busy, onclick: () => view.judge(alert.id, false) }, 'False'));
}

function hold(view: View, alert: Alert): HTMLElement {
  const send = (event: Event) => {
    const reason = ((event.target as HTMLElement).parentElement?.querySelector('input') as HTMLInputElement | null)?.value.trim() ?? '';
    view.hold(alert.id, !alert.held, reason);
  };
  return el('details', { class: 'hold', 'data-key': `hold-box-${alert.id}` }, el('summary', {}, alert.held ? 'Held as evidence' : 'Legal hold'),
    el('span', { class: 'foot-row' },
      el('input', { 'data-key': `hold-case-${alert.id}`, maxlength: 200, placeholder: 'case', 'aria-label': 'case' }),
      el('button', { class: 'small', 'data-key': `hold-${alert.id}-${alert.held ? 'off' : 'on'}`, disabled: view.busy, onclick: send }, alert.held ? 'Release' : 'Keep')));
}

export function drawDetail(view: View): HTMLElement[] {
  const incident = view.selected === null ? undefined : view.state.incidents.get(view.selected);
  if (!incident) return [el('p', { class: 'nothing' }, 'Choose an incident in the list or on the map.')];
  const alerts = view.state.alertsOf(incident.id);
  const alert = alerts[0];
  const cordon = cordonOf(view.state, incident);
  const act = (verb: string, label: string, kind = '', key = '') =>
    el('button', { class: kind, 'data-key': `act-${verb}-${incident.id}`, disabled: view.busy, onclick: () => view.act(verb), title: key && `Key ${key}` }, label);
  return [
    el('div', { class: `head ${incident.severity}` },
      el('h2', {}, incident.title),
      el('div', { class: 'card-facts' },
        el('span', { class: `badge state-${incident.state}` }, words(incident.state)),
        el('span', {}, words(incident.severity)),
        el('span', {}, `${timeOfDay(incident.opened_ms)}, ${ago(serverNow(view.state) - incident.opened_ms)} ago`),
        el('span', {}, `${incident.alert_count} ${incident.alert_count === 1 ? 'alert' : 'alerts'}`))),
    picture(alert, 'large'),
    tierChips(view.site, view.state.circles.get(incident.id)),
    incident.open ? el('div', { class: 'actions' },
      incident.state === 'new' && act('acknowledge', 'Acknowledge', 'primary', 'A'),
      incident.camera !== '' && el('button', { class: view.watched === incident.camera ? 'on' : '', 'data-key': `live-${incident.id}`, title: 'Key L', onclick: () => view.watch(incident.camera) },
        'Live'),
      el('button', { 'data-key': `contain-${incident.id}`, disabled: view.busy, title: 'Where to hold the roads if the suspect drives away', onclick: () => view.contain() }, 'Cordon'),
      act('close', view.sure('close') ? 'Close it? Press again' : 'Close', `ends ${view.sure('close') ? 'asking' : ''}`),
      act('false-alarm', view.sure('false-alarm') ? 'Sure? Press again' : 'False alarm', `ends danger ${view.sure('false-alarm') ? 'asking' : ''}`, 'F')) : el('span'),
    cordon ? cordonBlock(view, cordon) : el('span'),
    unitRanking(view, incident),
    alert ? el('div', { class: 'foot' }, facts(alert), el('div', { class: 'foot-row' }, evidence(alert), verdict(view, alert)), hold(view, alert)) : el('span'),
  ];
}

