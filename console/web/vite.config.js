// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vite';

export default defineConfig({
  build: {
    target: 'es2022',
    // MapLibre alone is most of it; a warning that is always there warns of nothing.
    chunkSizeWarningLimit: 1500,
    // Inline scripts and styles would need a weaker Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true } } },
});
