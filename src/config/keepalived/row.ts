/** Short hands for the rows of the keyword tables. */

import type { Keyword, Shape } from './keywords.ts';

export const none: Shape = { kind: 'none' };
export const boolean: Shape = { kind: 'boolean' };
export const command: Shape = { kind: 'command' };
export const text = (name: string): Shape => ({ kind: 'text', name });
export const words = (name: string, min = 1, max = 64): Shape => ({ kind: 'words', name, min, max });
export const choice = (...values: string[]): Shape => ({ kind: 'choice', values });
export const integer = (min: number, max: number): Shape => ({ kind: 'integer', min, max });
export const nearest = (min: number, max: number): Shape => ({ kind: 'integer', min, max, nearest: true });
export const seconds = (min: number, max: number): Shape => ({ kind: 'decimal', min, max, unit: 'seconds' });
export const secondsUpTo = (min: number, max: number): Shape => ({
  kind: 'decimal',
  min,
  max,
  unit: 'seconds',
  atMost: true,
});
export const list = (of: string): Shape => ({ kind: 'list', of });

export function row(word: string, shape: Shape, fallback: string, meaning: string, since?: string): Keyword {
  return { word, shape, default: fallback, meaning, support: 'supported', ...(since === undefined ? {} : { since }) };
}

export function refused(word: string, meaning: string, instead: string, shape: Shape = { kind: 'foreign' }): Keyword {
  return { word, shape, default: '', meaning, support: 'refused', instead };
}

export function noEffect(word: string, meaning: string, why: string, shape: Shape = { kind: 'foreign' }): Keyword {
  return { word, shape, default: '', meaning, support: 'no effect', instead: why };
}

export function alias(word: string, of: Keyword): Keyword {
  return { ...of, word, meaning: `the same as \`${of.word}\``, sameAs: of.word };
}
