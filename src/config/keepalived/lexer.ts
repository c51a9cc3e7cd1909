/**
 * One line of keepalived.conf into words (keepalived.conf(5), "Quoted strings"): comments cut, quotes and escapes taken away.
 * A brace is a word of its own where it stands alone or ends a word that is not quoted.
 */

import type { Diagnostic, Place } from '../diagnostic.ts';
import { type PlacedText, placeOf, slicePlaced, type Word } from './placed-text.ts';

/** The line without its comment: `#` or `!` outside quotes starts one anywhere, an escaped one doesn't. */
export function withoutComment(line: PlacedText): PlacedText {
  let quote = '';
  for (let index = 0; index < line.text.length; index++) {
    const character = line.text[index]!;
    if (character === '\\') index++;
    else if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '#' || character === '!') return slicePlaced(line, 0, index);
  }
  return line;
}

export function splitWords(line: PlacedText, diagnostics: Diagnostic[]): Word[] {
  const words: Word[] = [];
  const { text } = line;
  let index = 0;
  while (index < text.length) {
    if (isBlank(text[index]!)) {
      index++;
      continue;
    }
    const start = index;
    let word = '';
    let quote = '';
    let quoted = false;
    while (index < text.length && (quote !== '' || !isBlank(text[index]!))) {
      const character = text[index]!;
      if (character === '\\') {
        const escaped = readEscape(text, index);
        word += escaped.text;
        index = escaped.end;
        continue;
      }
      if (quote === '' && (character === '{' || character === '}')) {
        // `word{` opens a block as `word {` does; Keepalived takes the brace of a `${NAME}` that nothing defines for one too.
        const variable = character === '{' && text[index - 1] === '$' ? text.indexOf('}', index) : -1;
        if (variable === -1) break;
        const name = text.slice(index, variable + 1);
        diagnostics.push(undefinedName(name, placeOf(line, index - 1, variable + 1)));
        word += name;
        index = variable + 1;
        continue;
      }
      index++;
      if (quote !== '' && character === quote) quote = '';
      else if (quote === '' && (character === '"' || character === "'")) {
        quote = character;
        quoted = true;
      } else word += character;
    }
    if (index > start) words.push({ text: word, place: placeOf(line, start, index), quoted });
    if (quote !== '') {
      diagnostics.push({
        severity: 'alert',
        code: 'syntax',
        place: placeOf(line, start, index),
        message: `the quote ${quote} is not closed on this line`,
        hint: 'a quoted string ends on the line it starts on',
      });
      return words;
    }
    const brace = text[index];
    if (brace === '{' || brace === '}') {
      words.push({ text: brace, place: placeOf(line, index, index + 1), quoted: false });
      index++;
    }
  }
  return words;
}

function undefinedName(name: string, place: Place): Diagnostic {
  return {
    severity: 'alert',
    code: 'missing-reference',
    place,
    message: `nothing defines $${name}`,
    hint: name.startsWith('{_ENV ')
      ? 'it is not set in this environment: in a systemd unit write Environment= or EnvironmentFile='
      : 'write $NAME=value on a line above; is this a template that was not filled in?',
  };
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\r' || character === '\f' || character === '\v';
}

const namedEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/**
 * The escapes of the manual's "Quoted strings": \n and so on, \nnn octal, \xXX hexadecimal (Keepalived before 2.3.2 took all digits that
 * follow), \cC control; else the character itself.
 */
function readEscape(text: string, at: number): { text: string; end: number } {
  const next = text[at + 1];
  if (next === undefined) return { text: '\\', end: at + 1 };
  const named = namedEscapes[next];
  if (named !== undefined) return { text: named, end: at + 2 };
  const octal = /^[0-7]{1,3}/.exec(text.slice(at + 1, at + 4));
  if (octal !== null)
    return { text: String.fromCharCode(Number.parseInt(octal[0], 8) & 255), end: at + 1 + octal[0].length };
  const hexadecimal = next === 'x' ? /^[0-9a-fA-F]{1,2}/.exec(text.slice(at + 2, at + 4)) : null;
  if (hexadecimal !== null)
    return {
      text: String.fromCharCode(Number.parseInt(hexadecimal[0], 16)),
      end: at + 2 + hexadecimal[0].length,
    };
  if (next === 'c' && text[at + 2] !== undefined)
    return { text: String.fromCharCode(text.charCodeAt(at + 2) & 31), end: at + 3 };
  return { text: next, end: at + 2 };
}
