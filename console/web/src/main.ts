// SPDX-License-Identifier: Apache-2.0

import './page.css';
import { fetchLearning, fetchRules, fetchSite, operatorName, post, setOperatorName } from './api';
import { el, render } from './dom';
import { Feed } from './feed';
import { ago, minutes, timeOfDay } from './format';
import { drawKeys, drawLegend } from './legend';
import { LivePanel } from './live';
import { CityMap } from './map';
import { cordonOf, drawDetail, drawList, sortedIncidents, type Tab, type View } from './panels';
import { State } from './state';
import type { Coverage, Learning, RuleScore, Site } from './types';

const bar = document.getElementById('bar')!;
const banner = document.getElementById('banner')!;
const list = document.getElementById('list')!;
const detail = document.getElementById('detail')!;
const legend = document.getElementById('legend')!;
const keys = document.getElementById('keys')!;

// A decision that cannot be taken back asks first; the second press or click within this time is the answer.
const SURE_MS = 3000;
// Rates change with verdicts and arrivals, a few a day.
const QUALITY_MS = 60_000;

class Desk {
  private readonly state = new State();
  private readonly feed: Feed;
  private readonly map: CityMap;
  private readonly live: LivePanel;
  private selected: string | null = null;
  private followNewest = true;
  private tab: Tab = 'incidents';
  private hovered: string | null = null;
  private busy = false;
  private error = '';
  private coverage = false;
  private drawing = false;
  private asked: { verb: string; incident: string; at: number } | null = null;
  private readonly stale = new Set<string>();
  private rules: RuleScore[] = [];
  private learning: Learning | null = null;

  constructor(private readonly site: Site) {
    document.title = `Cordon – ${site.name || site.id}`;
    this.map = new CityMap(document.getElementById('map')!, site, (incident) => this.select(incident));
    this.map.onReady = () => this.invalidate('snapshot');
    this.map.onCamera = (camera) => this.watch(camera);
    this.live = new LivePanel(document.getElementById('live')!, (camera) => this.state.cameras.get(camera), () => this.invalidate('selection'));
    this.feed = new Feed(this.state, (types) => types.forEach((type) => this.hear(type)));
    document.addEventListener('keydown', (event) => this.key(event));
    // Ages grow without any news.
    setInterval(() => this.invalidate('ages'), 1000);
    setInterval(() => void this.askQuality(), QUALITY_MS);
    this.invalidate('snapshot');
  }

  private hear(type: string): void {
    if (type === 'verdict') void this.askQuality();
    this.invalidate(type);
  }

  /** What the tab at hand says of rules or arrivals; nobody looks at the other. */
  private async askQuality(): Promise<void> {
    if (this.tab === 'cameras') this.rules = await fetchRules(Date.now() + this.state.skew);
    else if (this.tab === 'units') this.learning = await fetchLearning();
    else return;
    this.invalidate('selection');
  }

  private invalidate(type: string): void {
    this.stale.add(type);
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    this.drawing = false;
    const types = new Set(this.stale);
    this.stale.clear();
    const any = (...names: string[]) => types.has('snapshot') || names.some((name) => types.has(name));
    this.chooseSelected();
    this.drawBar();
    render(list, ...drawList(this.view()));
    this.drawLegend();
    if (any('alert', 'incident', 'circles', 'evidence', 'verdict', 'unit', 'contain', 'selection', 'ages')) render(detail, ...drawDetail(this.view()));
    const incident = this.selected === null ? undefined : this.state.incidents.get(this.selected);
    const circles = incident ? this.state.circles.get(incident.id) : undefined;
    if (any('units', 'unit', 'ages')) this.map.showUnits(this.state, performance.now());
    if (any('incident', 'selection')) this.map.showScenes(this.state, this.selected);
    const areas = incident ? this.state.areas.get(incident.id) : undefined;
    if (any('areas', 'incident', 'selection')) this.map.showAreas(areas);
    if (any('circles', 'incident', 'selection', 'hover')) this.map.showRoutes(circles, incident?.units ?? [], this.hovered);
    if (any('health')) this.map.showCameras(this.site, this.state);
    if (any('coverage', 'selection')) this.drawCoverage();
    if (any('contain', 'incident', 'selection')) this.map.showCordon(cordonOf(this.state, incident));
    if (incident && circles?.scene && areas) this.map.frame(incident.id, circles.scene, areas);
  }

  private drawCoverage(): void {
    const coverage = this.state.latest['coverage'] as Coverage | undefined;
    this.map.showCoverage(this.coverage && coverage ? coverage : null);
  }

  private drawLegend(): void {
    const areas = this.selected === null ? undefined : this.state.areas.get(this.selected);
    const coverage = this.coverage ? ((this.state.latest['coverage'] as Coverage | undefined) ?? null) : null;
    const rows = drawLegend(this.site, this.state, areas, coverage);
    legend.hidden = rows.length === 0;
    render(legend, ...rows);
  }

  private toggleKeys(): void {
    keys.hidden = !keys.hidden;
    render(keys, ...drawKeys());
  }

  private coverageText(): string {
    const coverage = this.state.latest['coverage'] as Coverage | undefined;
    if (!coverage || coverage.road_km === 0) return 'Coverage';
    const shares = coverage.tiers.map((tier) => `${minutes(tier.tier_s)} ${Math.round((100 * tier.covered_km) / coverage.road_km)} %`);
    const gaps = coverage.places.filter((place) => place.state === 'gap').length;
    const age = Date.now() + this.state.skew - coverage.computed_ms;
    return `Coverage  ${shares.join('  ')}${gaps > 0 ? `  ${gaps} places open` : ''}${age > 10_000 ? `  (${ago(age)} old)` : ''}`;
  }

  private async contain(): Promise<void> {
    if (this.selected === null) return;
    this.followNewest = false;
    await this.send('/api/contain', { incident: this.selected });
    const cordon = cordonOf(this.state, this.state.incidents.get(this.selected));
    if (cordon) this.map.frameCordon(cordon);
  }

  private async hold(id: string, held: boolean, reason: string): Promise<void> {
    await this.send(`/api/alerts/${encodeURIComponent(id)}/hold`, { held, reason });
    const alert = this.state.alerts.get(id);
    if (alert && this.error === '') alert.held = held;
    this.invalidate('selection');
  }

  private view(): View {
    return {
      state: this.state,
      site: this.site,
      selected: this.selected,
      tab: this.tab,
      busy: this.busy,
      rules: this.rules,
      learning: this.learning,
      act: (verb, body) => void this.act(verb, body),
      judge: (alert, verdict) => void this.send(`/api/alerts/${encodeURIComponent(alert)}/verdict`, { verdict }),
      hold: (alert, held, reason) => void this.hold(alert, held, reason),
      contain: () => void this.contain(),
      watched: this.live.camera?.id ?? null,
      watch: (camera) => this.watch(camera),
      sure: (verb) => this.isAsked(verb),
      select: (incident) => this.select(incident),
      show: (tab) => {
        this.tab = tab;
        void this.askQuality();
        this.invalidate('selection');
      },
      hover: (unit) => {
        this.hovered = unit;
        this.invalidate('hover');
      },
    };
  }

  private watch(id: string): void {
    const camera = this.site.cameras.find((known) => known.id === id);
    if (camera) this.live.toggle(camera);
  }

  private chooseSelected(): void {
    if (this.selected !== null && this.state.incidents.has(this.selected) && !this.followNewest) return;
    const first = sortedIncidents(this.state)[0];
    const next = first?.open ? first.id : this.selected;
    if (next === this.selected) return;
    this.selected = next ?? null;
    this.stale.add('selection');
    this.invalidate('selection');
  }

  private select(incident: string): void {
    this.selected = incident;
    this.followNewest = false;
    this.hovered = null;
    this.invalidate('selection');
  }

  private isAsked(verb: string): boolean {
    return this.asked !== null && this.asked.verb === verb && this.asked.incident === this.selected && performance.now() - this.asked.at < SURE_MS;
  }

  private async act(verb: string, body: Record<string, unknown> = {}): Promise<void> {
    if (this.selected === null) return;
    if ((verb === 'close' || verb === 'false-alarm') && !this.isAsked(verb)) {
      this.asked = { verb, incident: this.selected, at: performance.now() };
      this.followNewest = false;
      setTimeout(() => this.invalidate('selection'), SURE_MS);
      this.invalidate('selection');
      return;
    }
    this.asked = null;
    // Who acts on an incident works on it: it stays selected while others come.
    this.followNewest = false;
    await this.send(`/api/incidents/${encodeURIComponent(this.selected)}/${verb}`, body);
    if (verb === 'close' || verb === 'false-alarm') this.followNewest = true;
  }

  private async send(path: string, body: Record<string, unknown>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.error = '';
    this.invalidate('selection');
    try {
      await post(path, body);
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error);
    }
    this.busy = false;
    this.invalidate('selection');
  }

  private key(event: KeyboardEvent): void {
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
    const incidents = sortedIncidents(this.state);
    const at = incidents.findIndex((incident) => incident.id === this.selected);
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (step !== undefined && incidents.length > 0) {
      const next = incidents[Math.min(incidents.length - 1, Math.max(0, at + step))];
      if (next) this.select(next.id);
      event.preventDefault();
    } else if (event.key === 'a') {
      void this.act('acknowledge');
    } else if (event.key === 'f') {
      void this.act('false-alarm');
    } else if (event.key === 'c') {
      this.toggleCoverage();
    } else if (event.key === 'l') {
      const incident = this.selected === null ? undefined : this.state.incidents.get(this.selected);
      if (incident?.camera) this.watch(incident.camera);
    } else if (event.key === '?') {
      this.toggleKeys();
    } else if (event.key === 'Escape') {
      keys.hidden = true;
      this.live.close();
    } else if (event.key >= '1' && event.key <= '9') {
      this.assignNth(Number(event.key) - 1);
    }
  }

  private assignNth(index: number): void {
    const circles = this.selected === null ? undefined : this.state.circles.get(this.selected);
    const eta = circles?.units.filter((unit) => !unit.excluded)[index];
    if (eta) void this.act('assign', { unit: eta.unit });
  }

  private toggleCoverage(): void {
    this.coverage = !this.coverage;
    this.invalidate('coverage');
    this.invalidate('selection');
  }

  private drawBar(): void {
    const age = this.feed.age();
    const live = this.feed.connected && age < 3000;
    const notices = [...this.state.notices.values()].sort((a, b) => b.number - a.number);
    const test = this.state.lastTest;
    document.body.classList.toggle('lost', !live);
    render(bar,
      el('span', { class: 'brand' }, el('img', { src: '/icon.svg', alt: '', width: 22, height: 22 }), 'Cordon'),
      el('span', { class: 'site' }, this.site.name || this.site.id),
      el('span', { class: 'grow' }),
      test && el('span', { class: 'muted', title: 'The last test alert went through the whole chain' }, `chain proved ${ago(Date.now() + this.state.skew - test.time_ms)} ago`),
      el('button', { class: `toggle ${this.coverage ? 'on' : ''}`, 'data-key': 'coverage', 'aria-pressed': this.coverage ? 'true' : 'false', title: 'Key C',
        onclick: () => this.toggleCoverage() }, this.coverageText()),
      el('label', { class: 'operator' }, 'Operator',
        el('input', { 'data-key': 'operator', value: operatorName(), maxlength: 40, placeholder: 'your name', onchange: (event) => setOperatorName((event.target as HTMLInputElement).value.trim()) })),
      el('span', { class: `link ${live ? 'live' : 'lost'}` }, live ? `live, data ${age < 1500 ? 'now' : ago(age)}` : age === Infinity ? 'connecting' : `no data for ${ago(age)}`),
      el('button', { class: 'toggle', 'data-key': 'keys', title: 'Keys', 'aria-label': 'Keys', onclick: () => this.toggleKeys() }, '?'),
      el('span', { class: 'clock' }, timeOfDay(Date.now() + this.state.skew)));
    const text = !live && age !== Infinity
      ? `Connection lost. What you see is ${ago(age)} old.`
      : this.error || (notices[0] ? notices[0].text + (notices.length > 1 ? `  (+${notices.length - 1})` : '') : '');
    banner.hidden = text === '';
    banner.className = `banner ${live && !this.error ? 'notice' : 'bad'}`;
    if (banner.textContent !== text) banner.textContent = text;
  }
}

fetchSite().then(
  (site) => new Desk(site),
  (error: unknown) => {
    banner.hidden = false;
    banner.textContent = `The console cannot start: ${error instanceof Error ? error.message : String(error)}. Reload to try again.`;
  },
);
