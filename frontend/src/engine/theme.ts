// Colours for the canvas, from the CSS variables that pages use too.

import type { Palette } from './raster';

export interface Theme {
  readonly bg: string;
  readonly surface: string;
  readonly line: string;
  readonly text: string;
  readonly muted: string;
  readonly accent: string;
  readonly font: string;
  readonly palette: Palette;
  readonly ink: readonly string[]; // text colour on each of the 24
  readonly slices: readonly string[];
}

type Rgb = readonly [number, number, number];

const SLICES = 24;
const MERGED_SHARE = 0.7; // of its colour; the rest is background

export function buildTheme(variable: (name: string) => string): Theme {
  const bg = parseHex(variable('--bg'));
  const slices = Array.from({ length: SLICES }, (_, i) => variable(`--slice-${i}`));
  const colours = slices.map(parseHex);
  const [dark, light] = [variable('--ink-dark'), variable('--ink-light')];
  return {
    bg: variable('--bg'),
    surface: variable('--surface'),
    line: variable('--line'),
    text: variable('--text'),
    muted: variable('--muted'),
    accent: variable('--accent'),
    font: variable('--font') || 'sans-serif',
    palette: {
      solid: Uint32Array.from(colours, pack),
      merged: Uint32Array.from(colours, (colour) => pack(mix(colour, bg, MERGED_SHARE))),
    },
    ink: colours.map((colour) => moreLegible(colour, dark, light)),
    slices,
  };
}

/** `#rrggbb`, or `#rgb` as a minifier may write it. */
export function parseHex(text: string): Rgb {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text.trim());
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text.trim());
  if (!short && !long) throw new Error(`A canvas colour must be #rrggbb, got "${text}".`);
  const channel = (i: number) => Number.parseInt(long ? long[i] : short![i].repeat(2), 16);
  return [channel(1), channel(2), channel(3)];
}

/** As ImageData holds it on little-endian machines: all that run browsers. */
export function pack([red, green, blue]: Rgb): number {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

export function mix(a: Rgb, b: Rgb, shareOfA: number): Rgb {
  const channel = (i: 0 | 1 | 2) => Math.round(a[i] * shareOfA + b[i] * (1 - shareOfA));
  return [channel(0), channel(1), channel(2)];
}

/** WCAG 2.2 contrast ratio, 1..21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function moreLegible(on: Rgb, dark: string, light: string): string {
  return contrast(parseHex(light), on) > contrast(parseHex(dark), on) ? light : dark;
}
