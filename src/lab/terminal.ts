/** What people see: colours and one live line on a terminal, plain lines in a pipe. */
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

export class Terminal {
  readonly #out: NodeJS.WriteStream;
  readonly #live: boolean;
  #liveLine = '';

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out;
    this.#live = out.isTTY === true && process.env['TERM'] !== 'dumb';
  }

  /** Colours where a terminal shows them and nobody asked for none (https://no-color.org). */
  style(style: Style, text: string): string {
    return this.#live && (process.env['NO_COLOR'] ?? '') === ''
      ? styleText(style, text, { validateStream: false })
      : text;
  }

  line(text = ''): void {
    this.#erase();
    this.#out.write(`${text}\n`);
    if (this.#liveLine !== '') this.#out.write(this.#liveLine);
  }

  /** Replaces the live line at the bottom; in a pipe there is none. */
  live(text: string): void {
    if (!this.#live) return;
    this.#erase();
    // A line that wraps can't be erased again.
    this.#liveLine = text.length > this.#out.columns + 40 ? text.slice(0, this.#out.columns) : text;
    this.#out.write(this.#liveLine);
  }

  endLive(): void {
    this.#erase();
    this.#liveLine = '';
  }

  /** A table with a head; numbers to the right. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
    const draw = (cells: readonly string[]) =>
      cells.map((cell, i) => (i > 0 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('   ');
    this.line(this.style('bold', draw(head)));
    this.line(this.style('dim', widths.map((width) => '─'.repeat(width)).join('───')));
    for (const row of rows) this.line(draw(row));
  }

  #erase(): void {
    if (this.#liveLine !== '') this.#out.write('\r\x1b[2K');
  }
}
