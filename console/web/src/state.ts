// SPDX-License-Identifier: Apache-2.0
// The picture that the server has, kept by its snapshot and numbered updates. No DOM, no network: state.test.mjs drives it.

import type { Alert, Areas, Camera, Circles, Evidence, Incident, Notice, Snapshot, Unit, Update } from './types';

const ALERTS_KEPT = 400;

export class State {
  run = '';
  number = -1;
  alerts = new Map<string, Alert>();
  incidents = new Map<string, Incident>();
  circles = new Map<string, Circles>();
  areas = new Map<string, Areas>();
  notices = new Map<number, Notice>();
  cameras = new Map<string, Camera>();
  units = new Map<string, Unit>();
  latest: Record<string, unknown> = {};
  lastTest: Alert | null = null;
  /** Server wall clock minus ours, ms. */
  skew = 0;

  reset(snapshot: Snapshot, now: number): void {
    this.run = snapshot.run;
    this.number = snapshot.n;
    this.skew = snapshot.t - Date.now();
    this.alerts = new Map(snapshot.alerts.map((alert) => [alert.id, alert]));
    this.incidents = new Map(snapshot.incidents.map((incident) => [incident.id, incident]));
    this.circles = new Map(snapshot.circles.map((circles) => [circles.incident, circles]));
    this.areas = new Map(snapshot.areas.map((areas) => [areas.incident, areas]));
    this.notices = new Map(snapshot.notices.map((notice) => [notice.number, notice]));
    this.cameras = new Map(snapshot.cameras.map((camera) => [camera.id, camera]));
    this.units = new Map();
    for (const unit of snapshot.units) this.putUnit(unit, now);
    this.latest = snapshot.latest;
    this.lastTest = snapshot.last_test;
  }

  /** Applies the next update. False: a number is missing, take a new snapshot. A repeated number changes nothing. */
  apply(update: Update, now: number): boolean {
    if (update.n <= this.number) return true;
    if (update.n !== this.number + 1) return false;
    this.number = update.n;
    this.skew = update.t - Date.now();
    this.applyBody(update, now);
    return true;
  }

  private applyBody(update: Update, now: number): void {
    const body = update[update.type];
    switch (update.type) {
      case 'alert':
        this.putAlert(body as Alert);
        break;
      case 'test':
        this.lastTest = body as Alert;
        break;
      case 'incident':
        this.putIncident((body as { incident: Incident }).incident);
        break;
      case 'circles':
        this.circles.set((body as Circles).incident, body as Circles);
        break;
      case 'areas':
        this.areas.set((body as Areas).incident, body as Areas);
        break;
      case 'units':
        for (const unit of body as Unit[]) this.putUnit(unit, now);
        break;
      case 'unit': {
        const change = body as { unit: string; status: string; incident: string };
        const unit = this.units.get(change.unit);
        if (unit) this.units.set(unit.id, { ...unit, status: change.status, incident: change.incident });
        break;
      }
      case 'evidence': {
        const evidence = body as Evidence;
        const alert = this.alerts.get(evidence.alert);
        if (alert) alert.evidence = evidence;
        break;
      }
      case 'verdict': {
        const verdict = body as { alert: string; verdict: boolean };
        const alert = this.alerts.get(verdict.alert);
        if (alert) alert.verdict = verdict.verdict;
        break;
      }
      case 'notice': {
        const notice = body as Notice;
        if (notice.cleared_ms > 0) this.notices.delete(notice.number);
        else this.notices.set(notice.number, notice);
        break;
      }
      case 'health':
        for (const camera of (body as { cameras: Camera[] }).cameras)
          this.cameras.set(camera.id, { ...camera, heard_ms: update.t });
        break;
      default:
        this.latest[update.type] = body;
    }
  }

  private putAlert(alert: Alert): void {
    this.alerts.set(alert.id, alert);
    if (this.alerts.size <= ALERTS_KEPT) return;
    const oldest = this.alerts.keys().next().value;
    if (oldest !== undefined) this.alerts.delete(oldest);
  }

  private putIncident(incident: Incident): void {
    this.incidents.set(incident.id, incident);
    if (incident.open) return;
    this.circles.delete(incident.id);
    this.areas.delete(incident.id);
  }

  private putUnit(unit: Unit, now: number): void {
    this.units.set(unit.id, { ...unit, fixed_at: now - (unit.age_ms ?? 0) });
  }

  alertsOf(incident: string): Alert[] {
    return [...this.alerts.values()].filter((alert) => alert.incident === incident).sort((a, b) => b.number - a.number);
  }
}
