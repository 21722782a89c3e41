import { expect, test } from 'vitest';
import cases from '../../tests/samples/display.json';
import { formatBytes, formatCount, formatDelta, formatDuration, formatPercent } from '../src/ui/format';
import { cut, visible } from '../src/ui/text';

test.each(cases.duration as [number | null, string][])('it writes the duration %d as %s', (ns, text) => {
  expect(formatDuration(ns)).toBe(text);
});

test.each(cases.count as [number, string][])('it writes the count %d as %s', (count, text) => {
  expect(formatCount(count)).toBe(text);
});

test.each(cases.size as [number, string][])('it writes the size %d as %s', (size, text) => {
  expect(formatBytes(size)).toBe(text);
});

test.each(cases.percent as [number, string][])('it writes the share %d as %s', (percent, text) => {
  expect(formatPercent(percent)).toBe(text);
});

test.each(cases.visible as [string, string][])('it shows %j as %s', (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test.each(cases.cut as [string, number, string][])('it cuts %s at %d', (text, limit, shown) => {
  expect(cut(text, limit)).toBe(shown);
});

test('it shows half a surrogate pair by its number', () => {
  expect(visible('a\ud83dz')).toBe('a<U+D83D>z');
});

test('it cuts a name of 4,000 characters on display', () => {
  const shown = visible('k'.repeat(4000));
  expect(shown).toHaveLength(200);
  expect(shown.endsWith('…')).toBe(true);
});

test('it gives a difference its sign', () => {
  expect(formatDelta(1_500_000)).toBe('+1.50 ms');
  expect(formatDelta(-1_500_000)).toBe('−1.50 ms');
  expect(formatDelta(0)).toBe('0 ns');
});

test('it writes bytes in decimal units', () => {
  expect([0, 999, 1000, 4_194_304, 999_600].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.00 kB',
    '4.19 MB',
    '1.00 MB',
  ]);
});
