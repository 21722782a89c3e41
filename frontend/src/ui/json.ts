// JSON text laid out in lines without reading it: every token stays as in the file, digits, escapes and order too.

const TOKEN = /\s*("(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s"[\]{},:]+)/gsy;
const SHORT = 56;

/** The same tokens, indented by two where the text is too long for a line. Text that is no JSON comes back as it is. */
export function indentJson(raw: string): string {
  if (raw.length <= SHORT) return raw;
  const tokens = tokensOf(raw);
  if (tokens === null) return raw;
  const lines = new Lines();
  tokens.forEach((token, i) => {
    lines.take(token, tokens[i - 1] ?? '');
  });
  return lines.text;
}

function tokensOf(raw: string): string[] | null {
  const tokens: string[] = [];
  let end = 0;
  for (const match of raw.matchAll(TOKEN)) {
    tokens.push(match[1]!);
    end = match.index + match[0].length;
  }
  return raw.slice(end).trim() === '' ? tokens : null;
}

class Lines {
  text = '';
  private depth = 0;

  take(token: string, before: string): void {
    if (token === ']' || token === '}') this.close(token, before);
    else {
      if (before === '[' || before === '{' || before === ',') this.newLine();
      this.text += before === ':' ? ` ${token}` : token;
      if (token === '[' || token === '{') this.depth += 1;
    }
  }

  private close(token: string, before: string): void {
    this.depth = Math.max(0, this.depth - 1);
    if (before !== '[' && before !== '{') this.newLine();
    this.text += token;
  }

  private newLine(): void {
    this.text += `\n${'  '.repeat(this.depth)}`;
  }
}
