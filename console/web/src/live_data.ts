// SPDX-License-Identifier: Apache-2.0
// What a live picture's messages say and how old the picture is. No DOM, no network: live.test.mjs drives it.

export const HEADER_BYTES = 8;
/** A moving picture older than this is not live any more. */
export const VIDEO_STALE_MS = 3000;
/** Pictures of a quiet scene come with its key frames, seconds apart. */
export const PICTURES_STALE_MS = 8000;

export interface Piece {
  ageMs: number;
  skipped: number;
  data: Uint8Array<ArrayBuffer>;
}

/** Age and left-out pictures, each 32 bits big endian, then the data (docs/api.md). */
export function readPiece(message: ArrayBuffer): Piece {
  const view = new DataView(message);
  return { ageMs: view.getUint32(0), skipped: view.getUint32(4), data: new Uint8Array(message, HEADER_BYTES) };
}

/** How old the shown picture is: as old as the newest was on arrival, plus the time since then, plus what still waits to be shown. */
export function shownAge(ageOnArrivalMs: number, sinceArrivalMs: number, waitingSeconds: number): number {
  return Math.max(0, ageOnArrivalMs + sinceArrivalMs + 1000 * Math.max(0, waitingSeconds));
}

export function ageText(ageMs: number, stale: boolean): string {
  const seconds = ageMs / 1000;
  const old = seconds < 10 ? `${seconds.toFixed(1)} s` : seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
  return stale ? `STALE: ${old} old` : `${old} old`;
}

/** Milliseconds before attempt number `attempt` (1, 2, ...) to connect again. */
export function retryDelay(attempt: number): number {
  return Math.min(10_000, 1000 * 2 ** Math.min(attempt - 1, 4));
}
