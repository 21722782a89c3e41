// Text that fits: names cut with an ellipsis by widths of characters that are measured once. Pure but for `measure`.

const ELLIPSIS = '…';
const LEAST = 3; // characters before an ellipsis
const CACHED_NAMES = 20_000;
const LONGEST = 400; // characters that could ever fit a screen

export class TextFitter {
  private readonly widths = new Map<string, number>();
  private readonly sums = new Map<string, Float64Array>();

  constructor(private readonly measure: (character: string) => number) {}

  /** The text, its beginning with an ellipsis, or '' if too little fits to be of use. */
  fit(text: string, width: number): string {
    const sums = this.sumsOf(text);
    if (text.length < LONGEST && sums[sums.length - 1] <= width) return text;
    const room = width - this.widthOfCharacter(ELLIPSIS);
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (sums[middle] <= room) low = middle;
      else high = middle - 1;
    }
    return low < LEAST ? '' : Array.from(text.slice(0, LONGEST)).slice(0, low).join('').trimEnd() + ELLIPSIS;
  }

  width(text: string): number {
    const sums = this.sumsOf(text);
    return sums[sums.length - 1];
  }

  /** Running widths of the text's first characters. */
  private sumsOf(text: string): Float64Array {
    const known = this.sums.get(text);
    if (known) return known;
    const characters = Array.from(text.slice(0, LONGEST));
    const sums = new Float64Array(characters.length + 1);
    for (let i = 0; i < characters.length; i++) sums[i + 1] = sums[i] + this.widthOfCharacter(characters[i]);
    if (this.sums.size >= CACHED_NAMES) this.sums.clear();
    this.sums.set(text, sums);
    return sums;
  }

  private widthOfCharacter(character: string): number {
    let width = this.widths.get(character);
    if (width === undefined) {
      width = this.measure(character);
      this.widths.set(character, width);
    }
    return width;
  }
}
