// SPDX-License-Identifier: Apache-2.0
// What the interface says (docs/api.md). Every string in it may be hostile: it is only ever shown as text.

export interface Place {
  lat: number;
  lon: number;
}

export interface Evidence {
  alert: string;
  clip: string;
  duration_s: number;
  size_bytes: number;
  failure: string;
}

export interface Alert {
  number: number;
  id: string;
  incident: string;
  camera: string;
  rule: string;
  kind: string;
  severity: string;
  class: string;
  detail: string;
  time_ms: number;
  snapshot: boolean;
  place?: Place;
  place_error_m?: number;
  verdict?: boolean;
  evidence?: Evidence;
  /** A legal hold keeps its clip and picture. */
  held?: boolean;
  explanation: { rule: string; detector: string; score: number };
  stages_ms: Record<string, number>;
}

export type IncidentState =
  | 'new'
  | 'acknowledged'
  | 'assigned'
  | 'en_route'
  | 'on_scene'
  | 'closed'
  | 'false_alarm';

export interface Incident {
  id: string;
  state: IncidentState;
  open: boolean;
  severity: string;
  kind: string;
  camera: string;
  title: string;
  opened_ms: number;
  changed_ms: number;
  alert_count: number;
  units: string[];
  place?: Place;
}

export interface UnitEta {
  unit: string;
  kind: string;
  status: string;
  eta_ms: number;
  eta_low_ms: number;
  eta_high_ms: number;
  tier_s: number;
  distance_m: number;
  fix_age_ms: number;
  excluded: string;
  route?: [number, number][];
}

export interface Tier {
  tier_s: number;
  reached_road_m: number;
  geometry: GeoJSON.MultiPolygon | null;
}

export interface Circles {
  alert: string;
  incident: string;
  off_network: boolean;
  computed_ms: number;
  scene?: Place;
  units: UnitEta[];
}

/** What is reached around an incident's scene; comes after the response times and outlives their refreshes. */
export interface Areas {
  incident: string;
  tiers: Tier[];
}

export interface Unit {
  id: string;
  name: string;
  kind: string;
  status: string;
  incident: string;
  freshness: 'never' | 'fresh' | 'usable' | 'stale';
  lat?: number;
  lon?: number;
  age_ms?: number;
  speed_mps?: number;
  course_deg?: number;
  accuracy_m?: number;
  source?: string;
  /** performance.now() of the fix, set on arrival: ages are counted on from it. */
  fixed_at?: number;
}

export interface Camera {
  id: string;
  state: string;
  reason: string;
  last_packet_age_ms: number;
  last_key_frame_age_ms: number;
  received_fps: number;
  analysed_fps: number;
  decode_mode: string;
  width: number;
  height: number;
  codec: string;
  frames_shed: number;
  weakened_rules: string[];
  heard_ms: number;
}

export interface Notice {
  number: number;
  kind: string;
  subject: string;
  incident: string;
  text: string;
  raised_ms: number;
  cleared_ms: number;
}

export interface Site {
  id: string;
  name: string;
  cameras: { id: string; name: string; lat: number; lon: number; purpose: string }[];
  places: { id: string; name: string; lat: number; lon: number }[];
  tiers_s: number[];
  fresh_s: number;
  stale_s: number;
  bounds?: [number, number, number, number];
  attribution?: string;
  roads_version?: string;
}

export interface Snapshot {
  n: number;
  t: number;
  type: 'snapshot';
  run: string;
  alerts: Alert[];
  incidents: Incident[];
  circles: Circles[];
  areas: Areas[];
  notices: Notice[];
  cameras: Camera[];
  units: Unit[];
  latest: Record<string, unknown>;
  last_test: Alert | null;
}

export interface Update {
  n: number;
  t: number;
  type: string;
  [body: string]: unknown;
}

/** Alerts and verdicts of one rule of one camera. */
export interface RuleScore {
  camera: string;
  rule: string;
  alerts: number;
  judged_true: number;
  judged_false: number;
  days: number;
  false_per_camera_day: number | null;
}

export interface EtaError {
  arrivals: number;
  p50_s: number;
  p90_s: number;
  class?: string;
  hour?: number;
}

export interface Learning {
  promised: EtaError;
  prior: EtaError;
  learned: EtaError;
  learned_by_class: EtaError[];
  learned_by_hour: EtaError[];
  learned_by_class_and_hour: EtaError[];
}

export interface Coverage {
  version: number;
  computed_ms: number;
  units: number;
  road_km: number;
  tiers: { tier_s: number; covered_km: number; twice_km: number }[];
  gaps: { lat: number; lon: number; road: string; uncovered_km: number }[];
  places: { id: string; name: string; lat: number; lon: number; state: string }[];
}

export interface Cordon {
  outcome: string;
  proven: boolean;
  computed_ms: number;
  expires_ms: number;
  incident?: string;
  sighting: { lat: number; lon: number; number?: number; age_s: number };
  covered_probability: number;
  units_considered: number;
  assumptions: string[];
  points: { lat: number; lon: number; roads: string; unit: string; eta_ms: number; closed_ms: number; slack_ms: number }[];
  leaks: { lat: number; lon: number; roads: string; suspect_ms: number; route_share: number }[];
  robustness: { adversary: string; closed: boolean; caught_share: number }[];
}
