import { expect, test } from 'vitest';
import { indentJson } from '../src/ui/json';

const LONG =
  '{"Input Dims": [[1024, 512], []], "exact": 12345678901234567890.10, "text": "a, b: [c] \\"d\\" \\u00e9"}';

test('it leaves a short value alone', () => {
  expect(indentJson('[1, 2.50, 3e0]')).toBe('[1, 2.50, 3e0]');
});

test('it lays a long value out in lines', () => {
  expect(indentJson(LONG)).toBe(`{
  "Input Dims": [
    [
      1024,
      512
    ],
    []
  ],
  "exact": 12345678901234567890.10,
  "text": "a, b: [c] \\"d\\" \\u00e9"
}`);
});

/** The text without the white space that JSON does not mean: outside of strings. */
const tight = (text: string) =>
  text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, string?: string) => string ?? '');

test.each([
  LONG,
  `[${Array.from({ length: 40 }, (_, i) => `${i}.${'0'.repeat(i)}`).join(' ,\n')}]`,
  `{"deep": ${'['.repeat(30)}"${'x'.repeat(60)}"${']'.repeat(30)}}`,
  `"${'a string, {not} [an] object: '.repeat(5)}"`,
  '{"a": NaN, "b": Infinity, "c": 00012, "d": +1, "unusual": true, "because": "writers write what they like"}',
])('it keeps every token of %s', (raw) => {
  expect(tight(indentJson(raw))).toBe(tight(raw));
});

test.each([`{"open": "${'x'.repeat(80)}`, `${'y'.repeat(60)} "never closed`])(
  'it leaves what is no JSON as it is',
  (raw) => {
    expect(indentJson(raw)).toBe(raw);
  },
);

test('it survives brackets that close nothing', () => {
  const raw = `${']'.repeat(40)}${'}'.repeat(40)}`;
  expect(tight(indentJson(raw))).toBe(raw);
});
