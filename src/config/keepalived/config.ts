/** What keepalived.conf becomes: blocks of entries, each checked against its row of the keyword table. */

import type { Place } from '../diagnostic.ts';
import type { BlockName, Keyword } from './keywords.ts';
import type { Word } from './placed-text.ts';

export interface KeepalivedConfig {
  readonly entries: readonly Entry[];
}

/** One word of the configuration with what belongs to it. Only words that are supported, with values in range, get here. */
export interface Entry {
  readonly keyword: Keyword;
  /** The block in which it stands. */
  readonly block: BlockName;
  readonly place: Place;
  readonly arguments: readonly Word[];
  /** The argument as its row's shape says: number, on/off or text; undefined for shapes without one value. */
  readonly value: number | boolean | string | undefined;
  /** Of a block: its entries. */
  readonly entries: readonly Entry[];
  /** Of a list: its lines. */
  readonly lines: readonly (readonly Word[])[];
}

/** The entries of a block with this word; a second spelling counts as the word. */
export function entriesOf(entries: readonly Entry[], word: string): Entry[] {
  return entries.filter((entry) => (entry.keyword.sameAs ?? entry.keyword.word) === word);
}

/** The last entry with this word: where a word is repeated the last one counts. */
export function lastOf(entries: readonly Entry[], word: string): Entry | undefined {
  return entriesOf(entries, word).at(-1);
}

export function has(entries: readonly Entry[], word: string): boolean {
  return lastOf(entries, word) !== undefined;
}

export function numberOf(entries: readonly Entry[], word: string): number | undefined {
  const value = lastOf(entries, word)?.value;
  return typeof value === 'number' ? value : undefined;
}

export function booleanOf(entries: readonly Entry[], word: string): boolean | undefined {
  const value = lastOf(entries, word)?.value;
  return typeof value === 'boolean' ? value : undefined;
}

export function textOf(entries: readonly Entry[], word: string): string | undefined {
  const value = lastOf(entries, word)?.value;
  return typeof value === 'string' ? value : undefined;
}

/** The name of a named block. */
export function nameOf(entry: Entry): string {
  return entry.arguments[0]?.text ?? '';
}

/** The words of every list of this name in the block, flattened: for lists of names. */
export function namesOf(entries: readonly Entry[], word: string): Word[] {
  return entriesOf(entries, word).flatMap((entry) => entry.lines.flat());
}

export function linesOf(entries: readonly Entry[], word: string): (readonly Word[])[] {
  return entriesOf(entries, word).flatMap((entry) => entry.lines);
}
