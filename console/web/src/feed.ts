// SPDX-License-Identifier: Apache-2.0
// The feed's connection: snapshot, numbered updates, a new snapshot whenever a number is missing. It never gives up.

import { State } from './state';
import type { Snapshot, Update } from './types';

const SILENT_MS = 4000; // the server says something every second
const MOST_WAIT_MS = 5000;

export class Feed {
  connected = false;
  /** performance.now() of the last message; 0: none yet. */
  heardAt = 0;
  private socket: WebSocket | null = null;
  private attempts = 0;

  constructor(
    private readonly state: State,
    private readonly changed: (types: Set<string>) => void,
  ) {
    setInterval(() => this.watch(), 1000);
    this.connect();
  }

  /** Milliseconds since the server was last heard. */
  age(): number {
    return this.heardAt === 0 ? Infinity : performance.now() - this.heardAt;
  }

  private connect(): void {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}/api/feed`);
    this.socket = socket;
    socket.onmessage = (event) => this.hear(socket, String(event.data));
    socket.onclose = () => this.lose(socket);
  }

  private hear(socket: WebSocket, text: string): void {
    if (socket !== this.socket) return;
    const now = performance.now();
    const message = JSON.parse(text) as Snapshot | Update;
    this.heardAt = now;
    this.attempts = 0;
    this.connected = true;
    if (message.type === 'snapshot') {
      this.state.reset(message as Snapshot, now);
      this.changed(new Set(['snapshot']));
    } else if (this.state.apply(message as Update, now)) {
      this.changed(new Set([message.type]));
    } else {
      socket.close();
    }
  }

  private lose(socket: WebSocket): void {
    if (socket !== this.socket) return;
    this.socket = null;
    this.connected = false;
    this.changed(new Set(['connection']));
    // Jitter: the consoles of a control room must not all come back at the same moment.
    const wait = Math.min(MOST_WAIT_MS, 300 * 2 ** this.attempts++) * (0.5 + Math.random() / 2);
    setTimeout(() => this.connect(), wait);
  }

  private watch(): void {
    if (!this.connected || this.age() <= SILENT_MS) return;
    // A machine that was busy finds this timer before the messages that wait behind it: look again once they were heard.
    const socket = this.socket;
    setTimeout(() => {
      if (socket === this.socket && this.age() > SILENT_MS) socket?.close();
    }, 1000);
  }
}
