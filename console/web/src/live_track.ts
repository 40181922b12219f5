// SPDX-License-Identifier: Apache-2.0
// Two ways to show a live picture: the camera's own packets through the browser's media source, or pictures one by one.

import { el } from './dom';

/** What is shown; `waiting` is how many seconds of it have arrived and are not shown yet. */
export interface Track {
  readonly element: HTMLElement;
  append(data: Uint8Array<ArrayBuffer>): void;
  waiting(): number;
  /** True once something is on the screen. */
  shown(): boolean;
  close(): void;
}

// A browser that cannot keep up with appending this much cannot show this camera.
const MOST_QUEUED_BYTES = 16 * 1024 * 1024;
// Behind the newest picture by more than this the player jumps to it.
const MOST_BEHIND_S = 1.2;
const KEPT_S = 8;

export class VideoTrack implements Track {
  readonly element = el('video', { class: 'live-picture', autoplay: true, playsinline: true, 'aria-label': 'live picture' });
  private readonly source = new MediaSource();
  private readonly address = URL.createObjectURL(this.source);
  private buffer: SourceBuffer | null = null;
  private queue: Uint8Array<ArrayBuffer>[] = [];
  private queued = 0;
  private closed = false;

  constructor(mime: string, private readonly failed: (why: string) => void) {
    this.element.muted = true;
    this.element.src = this.address;
    this.element.addEventListener('error', () => this.fail(this.element.error?.message || 'the browser cannot play it'));
    this.source.addEventListener('sourceopen', () => {
      if (this.closed || this.buffer) return;
      try {
        this.buffer = this.source.addSourceBuffer(mime);
      } catch (error) {
        this.fail(String(error));
        return;
      }
      this.buffer.addEventListener('updateend', () => this.pump());
      this.pump();
    });
  }

  append(data: Uint8Array<ArrayBuffer>): void {
    this.queue.push(data);
    this.queued += data.length;
    if (this.queued > MOST_QUEUED_BYTES) this.fail('this browser is too slow for it');
    else this.pump();
  }

  private pump(): void {
    const buffer = this.buffer;
    if (this.closed || !buffer || buffer.updating || this.source.readyState !== 'open') return;
    this.follow(buffer);
    try {
      const begin = buffer.buffered.length > 0 ? buffer.buffered.start(0) : 0;
      if (this.element.currentTime - begin > 2 * KEPT_S) {
        buffer.remove(begin, this.element.currentTime - KEPT_S);
        return;
      }
      const next = this.queue.shift();
      if (!next) return;
      this.queued -= next.length;
      buffer.appendBuffer(next);
    } catch (error) {
      this.fail(String(error));
    }
  }

  /** Stays at the newest picture, also over a gap that was left out. */
  private follow(buffer: SourceBuffer): void {
    const ranges = buffer.buffered;
    if (ranges.length === 0) return;
    const [start, end] = [ranges.start(ranges.length - 1), ranges.end(ranges.length - 1)];
    const at = this.element.currentTime;
    if (at < start || end - at > MOST_BEHIND_S) this.element.currentTime = Math.max(start, end - 0.1);
    if (this.element.paused) void this.element.play().catch(() => undefined);
  }

  waiting(): number {
    const ranges = this.element.buffered;
    return ranges.length === 0 ? 0 : ranges.end(ranges.length - 1) - this.element.currentTime;
  }

  shown(): boolean {
    return this.element.readyState >= 2;
  }

  private fail(why: string): void {
    if (this.closed) return;
    this.close();
    this.failed(why);
  }

  close(): void {
    this.closed = true;
    this.queue = [];
    URL.revokeObjectURL(this.address);
  }
}

export class PictureTrack implements Track {
  readonly element = el('img', { class: 'live-picture', alt: 'live picture' });
  private address = '';
  private drawn = false;

  constructor(private readonly mime: string) {
    this.element.addEventListener('load', () => (this.drawn = true));
  }

  append(data: Uint8Array<ArrayBuffer>): void {
    const previous = this.address;
    this.address = URL.createObjectURL(new Blob([data], { type: this.mime }));
    this.element.src = this.address;
    if (previous) URL.revokeObjectURL(previous);
  }

  waiting(): number {
    return 0;
  }

  shown(): boolean {
    return this.drawn;
  }

  close(): void {
    if (this.address) URL.revokeObjectURL(this.address);
  }
}
