// SPDX-License-Identifier: Apache-2.0
// The live picture of one camera, over the map. Its age is always there; a stale picture is never shown as live.

import { operatorName } from './api';
import { el, render } from './dom';
import { ageText, PICTURES_STALE_MS, readPiece, retryDelay, shownAge, VIDEO_STALE_MS } from './live_data';
import { PictureTrack, VideoTrack, type Track } from './live_track';
import type { Camera } from './types';

const TOO_SLOW = 4002;
const OVER = 4003;
// Any browser that plays H.264 at all plays this.
const PLAIN_H264 = 'video/mp4; codecs="avc1.42E01E"';

function plays(mime: string): boolean {
  return 'MediaSource' in window && MediaSource.isTypeSupported(mime);
}

export class LivePanel {
  /** The camera being watched; null: none. */
  camera: { id: string; name: string } | null = null;
  private socket: WebSocket | null = null;
  private track: Track | null = null;
  private why = '';
  private trouble = '';
  private picturesOnly = false;
  private ageOnArrival = 0;
  private arrived = 0;
  private skipped = 0;
  private attempts = 0;
  private retry = 0;
  private readonly stage = el('div', { class: 'live-stage' });
  private readonly head = el('div', { class: 'live-head' });
  private readonly foot = el('div', { class: 'live-foot' });

  constructor(
    private readonly root: HTMLElement,
    private readonly healthOf: (camera: string) => Camera | undefined,
    private readonly changed: () => void,
  ) {
    root.append(this.head, this.stage, this.foot);
    setInterval(() => this.draw(), 250);
  }

  toggle(camera: { id: string; name: string }): void {
    if (this.camera?.id === camera.id) this.close();
    else this.open(camera);
  }

  open(camera: { id: string; name: string }): void {
    this.close();
    this.camera = camera;
    this.root.hidden = false;
    this.picturesOnly = !plays(PLAIN_H264);
    this.why = this.picturesOnly ? 'this browser plays no H.264' : '';
    this.attempts = 0;
    this.connect();
    this.changed();
  }

  close(): void {
    if (!this.camera) return;
    this.camera = null;
    this.root.hidden = true;
    this.disconnect();
    this.trouble = '';
    this.changed();
  }

  private disconnect(): void {
    clearTimeout(this.retry);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.track?.close();
    this.track = null;
    this.stage.replaceChildren();
    this.arrived = 0;
    this.skipped = 0;
  }

  private connect(): void {
    if (!this.camera) return;
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const asked = new URLSearchParams({ actor: operatorName() });
    if (this.picturesOnly) asked.set('pictures', '1');
    const socket = new WebSocket(`${scheme}://${location.host}/api/cameras/${encodeURIComponent(this.camera.id)}/live?${asked}`);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    socket.onmessage = (event) => {
      if (socket !== this.socket) return;
      if (typeof event.data === 'string') this.start(JSON.parse(event.data) as { mime: string; why_pictures: string });
      else this.take(event.data as ArrayBuffer);
    };
    socket.onclose = (event) => socket === this.socket && this.lost(event);
    this.draw();
  }

  private start(message: { mime: string; why_pictures: string }): void {
    const pictures = message.mime.startsWith('image/');
    if (!pictures && !plays(message.mime)) {
      this.fallBack(`this browser does not play ${message.mime}`);
      return;
    }
    if (message.why_pictures) this.why = message.why_pictures;
    this.track = pictures ? new PictureTrack(message.mime) : new VideoTrack(message.mime, (why) => this.fallBack(why));
    this.stage.replaceChildren(this.track.element);
  }

  private take(message: ArrayBuffer): void {
    const piece = readPiece(message);
    this.ageOnArrival = piece.ageMs;
    this.arrived = performance.now();
    this.skipped = piece.skipped;
    this.trouble = '';
    this.attempts = 0;
    this.track?.append(piece.data);
  }

  private fallBack(why: string): void {
    this.why = why;
    this.picturesOnly = true;
    this.disconnect();
    this.connect();
  }

  private lost(event: CloseEvent): void {
    if (event.code === TOO_SLOW) {
      this.fallBack('this connection is too slow for the moving picture');
      return;
    }
    this.trouble = event.code === OVER && event.reason ? event.reason : 'the connection was lost';
    this.socket = null;
    this.retry = window.setTimeout(() => {
      this.track?.close();
      this.track = null;
      this.connect();
    }, retryDelay(++this.attempts));
    this.draw();
  }

  /** Milliseconds; infinite when nothing is shown. */
  age(): number {
    if (!this.track?.shown() && this.stage.childElementCount === 0) return Infinity;
    if (this.arrived === 0) return Infinity;
    return shownAge(this.ageOnArrival, performance.now() - this.arrived, this.track?.waiting() ?? 0);
  }

  private draw(): void {
    if (!this.camera) return;
    const pictures = this.track instanceof PictureTrack;
    const age = this.age();
    const stale = age > (pictures ? PICTURES_STALE_MS : VIDEO_STALE_MS);
    this.stage.classList.toggle('stale', stale);
    const shown = Number.isFinite(age);
    render(this.head,
      el('b', { class: 'grow' }, this.camera.name),
      el('span', { class: `live-age ${!shown ? 'none' : stale ? 'stale' : 'fresh'}`, role: 'status' }, shown ? ageText(age, stale) : 'no picture yet'),
      el('button', { class: 'small', 'data-key': 'live-close', title: 'Key Escape', onclick: () => this.close() }, 'Close'));
    const health = this.healthOf(this.camera.id);
    const mode = this.track === null ? '' : pictures ? `single pictures${this.why ? `: ${this.why}` : ''}` : 'moving picture';
    render(this.foot,
      this.trouble !== '' && el('span', { class: 'bad-text' }, `${this.trouble}; trying again`),
      mode !== '' && el('span', {}, mode),
      this.skipped > 0 && el('span', { class: 'warn' }, `${this.skipped} pictures left out: too slow here`),
      health && health.state !== 'live' && el('span', { class: 'bad-text' }, `camera ${health.state.replace(/_/g, ' ')}${health.reason ? `: ${health.reason}` : ''}`),
      el('span', { class: 'muted' }, 'Viewing is recorded'));
  }
}
