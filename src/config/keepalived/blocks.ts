/** Lines into statements: the words of a line, and the block in braces that follows them on the same line or the next. */

import type { Diagnostic, Place } from '../diagnostic.ts';
import { splitWords } from './lexer.ts';
import type { PlacedText, Word } from './placed-text.ts';

export interface Statement {
  /** At least one, but for a block without a keyword (reported here). */
  readonly words: readonly Word[];
  readonly block: readonly Statement[] | undefined;
}

interface OpenBlock {
  readonly statements: MutableStatement[];
  readonly opened: Place | undefined;
}

interface MutableStatement {
  words: Word[];
  block: MutableStatement[] | undefined;
}

/** Deeper than any block of the language nests (virtual_server > real_server > HTTP_GET > url is 4). */
const depthMax = 16;

export function readBlocks(lines: readonly PlacedText[], diagnostics: Diagnostic[]): Statement[] {
  const stack: OpenBlock[] = [{ statements: [], opened: undefined }];
  for (const line of lines) {
    let words: Word[] = [];
    for (const word of splitWords(line, diagnostics)) {
      if (word.quoted || (word.text !== '{' && word.text !== '}')) {
        words.push(word);
        continue;
      }
      if (words.length > 0) stack.at(-1)!.statements.push({ words, block: undefined });
      words = [];
      if (word.text === '{') open(stack, word.place, diagnostics);
      else if (stack.length > 1) stack.pop();
      else diagnostics.push(unmatched(word.place, "'}' closes nothing"));
      if (stack.length > depthMax) {
        diagnostics.push(unmatched(word.place, `blocks nest deeper than ${depthMax}`));
        return stack[0]!.statements;
      }
    }
    if (words.length > 0) stack.at(-1)!.statements.push({ words, block: undefined });
  }
  const left = stack.at(-1)!.opened;
  if (left !== undefined) diagnostics.push(unmatched(left, "this '{' is never closed"));
  return stack[0]!.statements;
}

function open(stack: OpenBlock[], place: Place, diagnostics: Diagnostic[]): void {
  const { statements } = stack.at(-1)!;
  let owner = statements.at(-1);
  if (owner === undefined || owner.block !== undefined) {
    diagnostics.push(unmatched(place, "'{' stands without a keyword before it"));
    owner = { words: [], block: [] };
  }
  owner.block = owner.block ?? [];
  stack.push({ statements: owner.block, opened: place });
}

function unmatched(place: Place, message: string): Diagnostic {
  return { severity: 'alert', code: 'syntax', place, message };
}
