// SPDX-License-Identifier: Apache-2.0

import type { Learning, RuleScore, Site } from './types';

const DAYS_SCORED = 30;

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

async function fetchOr<T>(path: string, otherwise: T): Promise<T> {
  const response = await fetch(path).catch(() => null);
  return response?.ok ? ((await response.json()) as T) : otherwise;
}

/** Of the last 30 days; nothing when they cannot be had. */
export async function fetchRules(now: number): Promise<RuleScore[]> {
  return (await fetchOr<{ rules: RuleScore[] }>(`/api/rules?since_ms=${now - DAYS_SCORED * 86_400_000}`, { rules: [] })).rules;
}

/** Null without a road network. */
export function fetchLearning(): Promise<Learning | null> {
  return fetchOr<Learning | null>('/api/roads/learning', null);
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
