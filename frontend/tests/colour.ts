// Colour arithmetic on #rrggbb: contrast as WCAG 2.2 counts it, and how far apart two colours look, also to people
// who lack one kind of cone. Written apart from the canvas's own arithmetic, so that each checks the other.

export type Rgb = readonly [number, number, number];
type Matrix = readonly [Rgb, Rgb, Rgb];

/** `#4f9bfa` -> linear light, 0..1 per channel. */
export function linear(hex: string): Rgb {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex.trim());
  if (!match) throw new Error(`expected a colour as #rrggbb, got ${JSON.stringify(hex)}`);
  const channel = (text: string) => {
    const value = Number.parseInt(text, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(match[1]!), channel(match[2]!), channel(match[3]!)];
}

/** Relative luminance of WCAG 2.2. */
export function luminance(hex: string): number {
  const [r, g, b] = linear(hex);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast ratio, 1..21. AA asks for 4.5 of text and 3 of the edges of controls. */
export function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

// Machado, Oliveira and Fernandes 2009, severity 1.0, on linear light: doi.org/10.1109/TVCG.2009.113.
export const DEFICIENCIES: Readonly<Record<string, Matrix>> = {
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const times = (matrix: Matrix, v: Rgb): Rgb =>
  matrix.map((row) => row[0] * v[0] + row[1] * v[1] + row[2] * v[2]) as unknown as Rgb;

// Ottosson 2020, bottosson.github.io/posts/oklab: linear light -> cones -> perceptual coordinates.
const CONES: Matrix = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const PERCEPTUAL: Matrix = [
  [0.2104542553, 0.793617785, -0.0040720468],
  [1.9779984951, -2.428592205, 0.4505937099],
  [0.0259040371, 0.7827717662, -0.808675766],
];

function oklab(light: Rgb): Rgb {
  return times(PERCEPTUAL, times(CONES, light).map(Math.cbrt) as unknown as Rgb);
}

/** Distance in OKLab times 100: 2 is just noticeable side by side, black to white is 100. */
export function distance(a: string, b: string, deficiency?: Matrix): number {
  const seen = (hex: string) => {
    const light = linear(hex);
    if (!deficiency) return oklab(light);
    return oklab(times(deficiency, light).map((x) => Math.min(1, Math.max(0, x))) as unknown as Rgb);
  };
  const [x, y] = [seen(a), seen(b)];
  return 100 * Math.hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]);
}
