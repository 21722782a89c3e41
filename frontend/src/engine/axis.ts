// Ticks of the time axis: 1, 2 or 5 times a power of ten, all in one unit, never closer than labels need. Pure.

import { spanOf, type Viewport } from './viewport';

export interface Tick {
  readonly timeNs: number;
  readonly label: string;
}

const UNITS: readonly [string, number][] = [
  ['s', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
  ['ns', 1],
];

/** The distance of ticks: the least of 1, 2, 5 x 10^k ns that is at least `leastPixels` wide. */
export function tickStep(view: Viewport, width: number, leastPixels: number): number {
  const least = Math.max(1, (spanOf(view) / Math.max(1, width)) * leastPixels);
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((k) => k * power).find((step) => step >= least) ?? 10 * power;
}

/** Ticks in the window, labelled relative to `zeroNs`. */
export function ticks(view: Viewport, width: number, leastPixels: number, zeroNs = 0): Tick[] {
  const step = tickStep(view, width, leastPixels);
  const first = Math.ceil((view.beginNs - zeroNs) / step);
  const last = Math.floor((view.endNs - zeroNs) / step);
  const largest = Math.max(Math.abs(first * step), Math.abs(last * step));
  const [unit, scale] = UNITS.find(([, ns]) => largest >= ns) ?? UNITS[3];
  const decimals = Math.max(0, Math.ceil(Math.log10(scale / step) - 1e-9));
  const out: Tick[] = [];
  for (let k = first; k <= last; k++) {
    out.push({ timeNs: zeroNs + k * step, label: `${grouped((k * step) / scale, decimals)} ${unit}` });
  }
  return out;
}

const formats = new Map<number, Intl.NumberFormat>();

/** Thousands with commas; made once per number of decimals, because making a format is slow. */
function grouped(value: number, decimals: number): string {
  let format = formats.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat('en-US', {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
    formats.set(decimals, format);
  }
  return format.format(value === 0 ? 0 : value).replace('-', '\u2212');
}
