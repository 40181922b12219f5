// SPDX-License-Identifier: Apache-2.0
// The system's Chromium, for pictures of the page and tests on it. CHROMIUM names another one.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** A headless browser that draws maps without a graphics card; null when none is installed. */
export async function startBrowser() {
  if (!existsSync(executablePath)) return null;
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--hide-scrollbars'],
  });
}

export function expect(truth, sentence) {
  if (!truth) throw new Error(sentence);
}

/** Lists everything that the page complains of: errors of scripts, failed requests, dialogs. */
export function listenForComplaints(page) {
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog opened: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return complaints;
}

/**
 * A test that speaks with the program that started it: `steps(page, complaints)` prints what it waits for; this prints SKIP, OK, or
 * WRONG with a sentence on the first thing that is wrong, the page's complaints included.
 */
export async function checkPage(viewport, steps) {
  const browser = await startBrowser();
  if (browser === null) {
    console.log('SKIP no browser');
    return;
  }
  const page = await browser.newPage({ viewport });
  page.setDefaultTimeout(45_000);
  const complaints = listenForComplaints(page);
  try {
    await steps(page, complaints);
    expect(complaints.length === 0, 'the page complained');
    console.log('OK');
  } catch (error) {
    const line = /\w[\w.]*e2e\.mjs:\d+|e2e\.mjs:\d+/.exec(String(error?.stack))?.[0] ?? '';
    console.log(`WRONG ${String(error?.message ?? error).replace(/\s+/g, ' ')} (${line}); ${complaints.join('; ')}`);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}
