// SPDX-License-Identifier: Apache-2.0

import type { Site } from './types';

const NAME_KEY = 'cordon.operator';

export function operatorName(): string {
  return localStorage.getItem(NAME_KEY) ?? '';
}

export function setOperatorName(name: string): void {
  localStorage.setItem(NAME_KEY, name);
}

export async function fetchSite(): Promise<Site> {
  const response = await fetch('/api/site');
  if (!response.ok) throw new Error(`the site's description cannot be read (${response.status})`);
  return (await response.json()) as Site;
}

/** Sends one decision; the error's text is what the server says. */
export async function post(path: string, body: Record<string, unknown>): Promise<void> {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ actor: operatorName(), ...body }),
  });
  if (response.ok) return;
  const answer = (await response.json().catch(() => ({}))) as { error?: string };
  throw new Error(answer.error ?? `refused (${response.status})`);
}
