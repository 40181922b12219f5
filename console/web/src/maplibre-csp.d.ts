// SPDX-License-Identifier: Apache-2.0
// The build without inline workers, for a strict Content-Security-Policy; same types as the main one.
declare module 'maplibre-gl/dist/maplibre-gl-csp' {
  export * from 'maplibre-gl';
  import maplibregl from 'maplibre-gl';
  export default maplibregl;
}
