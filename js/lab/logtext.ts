/** A growing log as a terminal would show it: a carriage return writes over the line, colours are dropped. */

// eslint-disable-next-line no-control-regex -- terminal sequences are made of control characters
const ESCAPE = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
const MOST = 20_000; // lines kept

export class LogText {
  private lines: string[] = [];
  private rest = '';

  /** Adds what came; a line that is not whole yet stays open. */
  push(text: string): void {
    const parts = (this.rest + text).split('\n');
    this.rest = parts.pop() ?? '';
    for (const part of parts) this.lines.push(shown(part));
    if (this.lines.length > MOST) this.lines.splice(0, this.lines.length - MOST);
  }

  toString(): string {
    const last = shown(this.rest);
    return last ? [...this.lines, last].join('\n') : this.lines.join('\n');
  }
}

function shown(line: string): string {
  const parts = line.replace(ESCAPE, '').replace(/\r+$/, '').split('\r');
  return parts[parts.length - 1] ?? '';
}
