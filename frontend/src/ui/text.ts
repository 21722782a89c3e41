// Strings of a trace are hostile or merely odd: shown so that nothing hides in them, cut on display only, never
// in what is stored or copied. For the canvas and for pages; the server's twin is traceviewer/wording.py.

export const DISPLAY_LIMIT = 200;

// Controls, the marks and overrides that reorder text, invisible spaces and joiners that carry no script, halves of
// surrogate pairs. ZWNJ and ZWJ stay: Persian, Indic scripts and emoji need them, and they reorder nothing.
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function named(character: string): string {
  return `<U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}>`;
}

/** At most `limit` characters of the text, an ellipsis for the rest; a surrogate pair is not cut in two. */
export function cut(text: string, limit = DISPLAY_LIMIT): string {
  if (text.length <= limit) return text; // UTF-16 units are never fewer than characters
  const characters = Array.from(text.slice(0, 2 * limit + 2));
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join('')}…`;
}

/** The text as it may be shown: unseen characters by name, cut. */
export function visible(text: string, limit = DISPLAY_LIMIT): string {
  return cut(text, limit).replace(UNSEEN, named);
}
