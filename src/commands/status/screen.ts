/** A live screen: the terminal's other page, redrawn in place, and given back as it was. */
import { stripVTControlCharacters } from 'node:util';

const enter = '\x1b[?1049h\x1b[?25l';
const leave = '\x1b[?25h\x1b[?1049l';
/** Synchronised update: terminals that know it show a frame at once, others ignore it. */
const frameBegin = '\x1b[?2026h\x1b[H';
const frameEnd = '\x1b[J\x1b[?2026l';
const eraseRest = '\x1b[K';

export class Screen {
  readonly #out: NodeJS.WriteStream;
  #lines: readonly string[] = [];

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    out.write(enter);
    out.on('resize', () => this.draw(this.#lines));
  }

  /** Lines that don't fit are cut, never wrapped. */
  draw(lines: readonly string[]): void {
    this.#lines = lines;
    const { columns = 80, rows = 24 } = this.#out;
    const room = lines.length > rows ? rows - 1 : rows;
    const shown = lines.slice(0, room).map((line) => cut(line, columns));
    if (lines.length > rows)
      shown.push(cut(`… ${lines.length - room} more lines: a taller terminal shows them`, columns));
    this.#out.write(`${frameBegin}${shown.map((line) => `${line}${eraseRest}`).join('\r\n')}${frameEnd}`);
  }

  close(): void {
    this.#out.write(leave);
  }
}

/** At most `columns` characters as seen; colours are ended where the line is. */
export function cut(line: string, columns: number): string {
  if (stripVTControlCharacters(line).length <= columns) return line;
  let seen = 0;
  let result = '';
  for (const part of line.split(/(\x1b\[[0-9;]*m)/)) {
    if (part.startsWith('\x1b')) result += part;
    else {
      result += part.slice(0, Math.max(0, columns - 1 - seen));
      seen += part.length;
    }
  }
  return `${result}\x1b[0m…`;
}
