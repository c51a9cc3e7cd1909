/** How the benches read their command lines: `--help` tells, and what is not understood is said in a line, with status 2. */
import { Command, InvalidArgumentError } from 'commander';

export function benchCommand(script: string, description: string): Command {
  return new Command(`npm run ${script} --`)
    .description(description)
    .showHelpAfterError(`(npm run ${script} -- --help tells what there is)`)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

/** @throws InvalidArgumentError that commander says with the option's name. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('A whole number is needed.');
  return Number(text);
}

/** Names of a list with commas between them. */
export function someOf<T extends string>(known: readonly T[]): (text: string) => readonly T[] {
  return (text) => text.split(',').map((name) => oneOf(known, name));
}

/** For an argument that may come several times. */
export function eachOf<T extends string>(known: readonly T[]): (name: string, before: readonly T[]) => readonly T[] {
  return (name, before) => [...before, oneOf(known, name)];
}

function oneOf<T extends string>(known: readonly T[], name: string): T {
  const found = known.find((each) => each === name);
  if (found === undefined) throw new InvalidArgumentError(`'${name}' is none of ${known.join(', ')}.`);
  return found;
}
