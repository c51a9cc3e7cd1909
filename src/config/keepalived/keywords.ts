/**
 * The one table of keepalived.conf's words: parser, checker and docs/keywords-keepalived.md read the same rows.
 * A row says in which block a word stands, what follows it, what holds without it, what it means and whether Evergate does it.
 */

import { globalKeywords } from './table-global.ts';
import { authenticationKeywords, instanceKeywords } from './table-instance.ts';
import { garpGroupKeywords, topKeywords, trackGroupKeywords } from './table-top.ts';
import {
  bfdKeywords,
  scriptKeywords,
  syncGroupKeywords,
  trackFileKeywords,
  trackProcessKeywords,
} from './table-tracking.ts';

/** What follows a word on its line, or in its block. */
export type Shape =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly name: string; readonly optional?: boolean }
  /** Any words, at least `min`. */
  | { readonly kind: 'words'; readonly name: string; readonly min: number; readonly max: number }
  | { readonly kind: 'choice'; readonly values: readonly string[]; readonly optional?: boolean }
  /** `nearest`: a number beyond the range is taken for its end, as Keepalived takes some; else the word is ignored. */
  | {
      readonly kind: 'integer';
      readonly min: number;
      readonly max: number;
      readonly optional?: boolean;
      readonly nearest?: boolean;
    }
  /** Seconds or milliseconds with up to six decimals. `atMost`: a larger number is taken for `max`; else the word is ignored. */
  | {
      readonly kind: 'decimal';
      readonly min: number;
      readonly max: number;
      readonly unit: string;
      readonly atMost?: boolean;
    }
  /** on|off|true|false|yes|no; alone it means on. */
  | { readonly kind: 'boolean' }
  /** `-253..253 [reverse|noreverse]`. */
  | { readonly kind: 'weight'; readonly max: number; readonly nearest?: boolean }
  /** A command with its arguments in one (quoted) word, then user and group. */
  | { readonly kind: 'command'; readonly optional?: boolean }
  /** Lines in braces that have a grammar of their own. */
  | { readonly kind: 'list'; readonly of: string }
  | { readonly kind: 'block'; readonly block: BlockName; readonly name: 'required' | 'none' }
  /** A block that is skipped whole. */
  | { readonly kind: 'foreign' };

export type BlockName =
  | 'top level'
  | 'global_defs'
  | 'vrrp_instance'
  | 'authentication'
  | 'vrrp_script'
  | 'vrrp_sync_group'
  | 'track_file'
  | 'vrrp_track_process'
  | 'bfd_instance'
  | 'track_group'
  | 'garp_group';

export type Support =
  | 'supported'
  /** Keepalived's word that Evergate refuses; `instead` says what to do. */
  | 'refused'
  /** Accepted with a notice: without IPVS, or in Evergate's way of working, it changes nothing; `instead` says why. */
  | 'no effect';

export interface Keyword {
  readonly word: string;
  readonly shape: Shape;
  /** What holds when the word is absent; empty when nothing does. */
  readonly default: string;
  readonly meaning: string;
  readonly support: Support;
  readonly instead?: string;
  /** Keepalived's version that brought it, where Debian 12's 2.2.7 doesn't know it; or Evergate for our own. */
  readonly since?: string;
  /** An older or second spelling: treated as this word, silently as Keepalived does. */
  readonly sameAs?: string;
}

const blocks: Readonly<Record<BlockName, readonly Keyword[]>> = {
  'top level': topKeywords,
  global_defs: globalKeywords,
  vrrp_instance: instanceKeywords,
  authentication: authenticationKeywords,
  vrrp_script: scriptKeywords,
  vrrp_sync_group: syncGroupKeywords,
  track_file: trackFileKeywords,
  vrrp_track_process: trackProcessKeywords,
  bfd_instance: bfdKeywords,
  track_group: trackGroupKeywords,
  garp_group: garpGroupKeywords,
};

export const blockNames = Object.keys(blocks) as BlockName[];

export function keywordsOf(block: BlockName): readonly Keyword[] {
  return blocks[block];
}

const indexes = new Map<BlockName, ReadonlyMap<string, Keyword>>();

export function findKeyword(block: BlockName, word: string): Keyword | undefined {
  let index = indexes.get(block);
  if (index === undefined) {
    index = new Map(blocks[block].map((keyword) => [keyword.word, keyword]));
    indexes.set(block, index);
  }
  return index.get(word);
}

/** The blocks in which a word would be known: for "stands in the wrong block". */
export function blocksWith(word: string): BlockName[] {
  return blockNames.filter((block) => findKeyword(block, word) !== undefined);
}

/** What follows the word, as a person reads it. */
export function describeShape(shape: Shape): string {
  switch (shape.kind) {
    case 'none':
      return '';
    case 'text':
      return shape.optional ? `[${shape.name}]` : shape.name;
    case 'words':
      return shape.name;
    case 'choice':
      return shape.optional ? `[${shape.values.join('|')}]` : shape.values.join('|');
    case 'integer':
      return shape.optional ? `[${shape.min}..${shape.max}]` : `${shape.min}..${shape.max}`;
    case 'decimal':
      return `${shape.min}..${shape.max} ${shape.unit}`;
    case 'boolean':
      return '[on|off]';
    case 'weight':
      return `-${shape.max}..${shape.max} [reverse|noreverse]`;
    case 'command':
      return shape.optional ? '[COMMAND [user [[:]group]]]' : 'COMMAND [user [[:]group]]';
    case 'list':
      return `{ ${shape.of} … }`;
    case 'block':
      return shape.name === 'required' ? 'NAME { … }' : '{ … }';
    case 'foreign':
      return '… { … }';
  }
}
