// Every colour of the pages and of the canvas, held to WCAG 2.2 AA and to the three common colour-vision deficiencies.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { buildTheme } from '../src/engine/theme';
import { contrast, DEFICIENCIES, distance } from './colour';

const css = readFileSync(new URL('../src/ui/tokens.css', import.meta.url), 'utf8');

/** The `--name: #rrggbb` declarations of one rule. */
function colours(selector: string): Record<string, string> {
  const start = css.indexOf(`${selector} {`);
  expect(start).toBeGreaterThanOrEqual(0);
  const rule = css.slice(start, css.indexOf('}', start));
  return Object.fromEntries([...rule.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/gi)].map((m) => [m[1]!, m[2]!]));
}

const light = colours(':root');
const themes = [
  ['light', light],
  ['dark', { ...light, ...colours(':root[data-theme="dark"]') }],
] as const;

const ROLES = ['compute', 'communication', 'copy', 'host', 'runtime', 'waiting'];
const TEXT = 4.5; // AA for text below 24 px
const EDGE = 3; // AA for what shows where a control is
const ROLE_DISTANCE = 8; // four times the just noticeable difference: told apart without being side by side

describe.each(themes)('the %s theme', (_name, token) => {
  test.each(['text', 'muted', 'accent', 'slower', 'faster', 'warning', 'good'])(
    'it reads %s on every ground',
    (ink) => {
      for (const ground of ['bg', 'surface', 'raised']) {
        expect(contrast(token[ink]!, token[ground]!), ground).toBeGreaterThanOrEqual(TEXT);
      }
    },
  );

  test.each([
    ['on-accent', 'accent'],
    ['accent', 'accent-soft'],
    ['warning', 'warning-soft'],
    ['slower', 'slower-soft'],
    ['good', 'good-soft'],
    ['text', 'line'],
    ['muted', 'line'],
  ])('it reads %s on %s', (ink, ground) => {
    expect(contrast(token[ink]!, token[ground]!)).toBeGreaterThanOrEqual(TEXT);
  });

  test('it shows the edge of a field', () => {
    for (const ground of ['bg', 'surface'])
      expect(contrast(token.control!, token[ground]!)).toBeGreaterThanOrEqual(EDGE);
  });

  test.each(Array.from({ length: 24 }, (_, i) => i))('it reads a name on slice colour %i', (i) => {
    const theme = buildTheme((name) => token[name.slice(2)] ?? '');
    expect(contrast(theme.slices[i]!, theme.ink[i]!)).toBeGreaterThanOrEqual(TEXT);
  });

  test('it gives each role its own colour as the first shade', () => {
    ROLES.forEach((role, i) => {
      expect(token[`slice-${4 * i}`]).toBe(token[role]);
    });
  });

  test('it keeps the shades of a role nearer to it than to any other role', () => {
    for (let i = 0; i < 24; i++) {
      const nearest = ROLES.toSorted(
        (a, b) => distance(token[`slice-${i}`]!, token[a]!) - distance(token[`slice-${i}`]!, token[b]!),
      )[0];
      expect(nearest, `slice-${i}`).toBe(ROLES[Math.floor(i / 4)]);
    }
  });

  test.each([...Object.keys(DEFICIENCIES), 'common vision'])(
    'it tells the six roles apart with %s',
    (vision) => {
      const pairs = ROLES.flatMap((a, i) => ROLES.slice(i + 1).map((b) => [a, b] as const));
      for (const [a, b] of pairs) {
        expect(distance(token[a]!, token[b]!, DEFICIENCIES[vision]), `${a}, ${b}`).toBeGreaterThanOrEqual(
          ROLE_DISTANCE,
        );
      }
    },
  );
});

test('it counts contrast as the standard does', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
  expect(contrast('#767676', '#ffffff')).toBeCloseTo(4.54, 2);
});
