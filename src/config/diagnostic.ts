/**
 * What the program has to say about a configuration: one shape for both languages.
 * A diagnostic carries where (file, line, column), what (message), which rule (code) and the remedy (hint).
 */

/** `alert` stops the start (HAProxy's word), `warning` and `notice` don't. */
export type Severity = 'alert' | 'warning' | 'notice';

/** A place in a configuration file. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Length of the offending word in characters; 0 when the whole line is meant. */
  readonly length: number;
}

/**
 * Stable identifiers of rules, so that tests and `--json` readers don't depend on the wording.
 * `unknown-word` and `unsupported-word` are told apart on purpose: the second is a word that HAProxy or Keepalived knows.
 */
export type DiagnosticCode =
  | 'syntax'
  | 'unknown-section'
  | 'unknown-word'
  | 'unsupported-word'
  | 'removed-word'
  | 'wrong-section'
  | 'missing-argument'
  | 'extra-argument'
  | 'bad-value'
  | 'duplicate'
  | 'missing-reference'
  | 'conflict'
  | 'incomplete'
  | 'unresolvable'
  | 'unreadable-file'
  | 'no-final-newline'
  | 'ignored'
  | 'risky';

export interface Diagnostic {
  readonly severity: Severity;
  readonly code: DiagnosticCode;
  readonly place: Place;
  readonly message: string;
  /** What to write instead, or where to read on. */
  readonly hint?: string;
}
