/** The keyword arguments at the end of `bind` and `server` lines: each is read, or refused by name, and the rest still read. */
import { suggest } from '../suggest.ts';
import type { ArgumentKeyword } from './keyword.ts';
import { Refusal, type Statement } from './statement.ts';

export function readArguments<Target>(
  statement: Statement,
  keywords: readonly ArgumentKeyword<Target>[],
  target: Target,
  lineWord: string,
): void {
  for (let word = statement.take(); word !== undefined; word = statement.take()) {
    const keyword = keywords.find((row) => row.word === word.text);
    statement.subject = `'${lineWord}' : '${word.text}'`;
    statement.subjectPlace = word.place;
    try {
      if (keyword === undefined) {
        const near = suggest(
          word.text,
          keywords.map((row) => row.word),
        );
        throw statement.refusal(
          'unknown-word',
          word.place,
          `'${lineWord}' : unknown keyword '${word.text}'.`,
          near === undefined ? undefined : `did you mean '${near}'?`,
        );
      }
      if (keyword.read === undefined) {
        for (let count = keyword.skip ?? 0; count > 0; count--) statement.take();
        throw statement.refusal(
          'unsupported-word',
          word.place,
          `'${lineWord}' : '${word.text}' is not supported yet (${keyword.meaning}).`,
        );
      }
      keyword.read(statement, target, { place: word.place });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      statement.alert(error);
    }
  }
}
