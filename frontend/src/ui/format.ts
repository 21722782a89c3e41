// Figures as text. In running text three significant digits; exact nanoseconds in details and copies.
// traceviewer/wording.py says the same on the server; tests/samples/display.json holds both to it.

export type Nanoseconds = number;

const UNITS: readonly [string, number][] = [
  ['ns', 1],
  ['us', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
];

const MINUS = '\u2212';

/** A magnitude below 1000 with so many significant digits, but never fewer than its integer digits: 7.63, 220. */
function significant(value: number, digits: number): string {
  const rounded = Number(value.toPrecision(digits));
  const integerDigits = rounded < 1 ? 1 : Math.floor(Math.log10(rounded)) + 1;
  return value.toFixed(Math.max(0, digits - integerDigits));
}

/** `7635012` -> `7.64 ms`. Null (not known) is an en dash. */
export function formatDuration(ns: Nanoseconds | null, digits = 3): string {
  if (ns === null) return '–';
  const sign = ns < 0 ? MINUS : '';
  const magnitude = Math.abs(ns);
  for (const [unit, scale] of UNITS) {
    const text = unit === 'ns' ? String(magnitude) : significant(magnitude / scale, digits);
    // Rounding may carry into the next unit: 999,999 ns is 1.00 ms, not 1000 us.
    if (Number(text) < 1000 || unit === 's') return `${sign}${text} ${unit}`;
  }
  throw new Error('unreachable: seconds take every magnitude');
}

/** As formatDuration with an explicit plus sign: a difference. */
export function formatDelta(ns: Nanoseconds): string {
  return (ns > 0 ? '+' : '') + formatDuration(ns);
}

/** `7635012` -> `7,635,012 ns`: what details show beside the rounded figure. */
export function formatExact(ns: Nanoseconds): string {
  return `${formatCount(ns)} ns`;
}

/** `40573` -> `40,573`. */
export function formatCount(count: number): string {
  const digits = Math.abs(count)
    .toFixed(0)
    .replace(/\B(?=(\d{3})+$)/g, ',');
  return (count < 0 ? MINUS : '') + digits;
}

/** `-0.2134` -> `−0.21 %`; the sign is always there, because a share of error has a direction. */
export function formatPercent(percent: number): string {
  const magnitude = Math.abs(percent);
  const text = magnitude >= 999.5 ? formatCount(Math.round(magnitude)) : significant(magnitude, 3);
  const sign = Number(text.replaceAll(',', '')) === 0 ? '' : percent < 0 ? MINUS : '+';
  return `${sign}${text} %`;
}

/** `1` -> `1 rank`, `8` -> `8 ranks`. */
export function formatPlural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `4194304` -> `4.19 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : significant(value, 3)} ${units[unit]}`;
}

const WHEN = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
});

/** An ISO time of the server as local date and time: `23 Nov 2026, 02:58`. */
export function formatWhen(iso: string): string {
  return WHEN.format(new Date(iso));
}

/** `12.3456` -> `12.3 %`: a part of a whole, without a sign unless it is negative. */
export function formatShare(percent: number): string {
  return formatPercent(percent).replace(/^\+/, '');
}
