/** What a test needs from the machine, asked once: the reason to skip, or false. Used as `test(name, { skip: needs('haproxy') }, …)`. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const answers = new Map<string, string | false>();

/**
 * @param names `root`, `namespaces` (network namespaces can be made), `linux`, `shared` (the ../shared folder), or a program's name.
 * @returns the first reason why the test can't run here, or false.
 */
export function needs(...names: readonly string[]): string | false {
  for (const name of names) {
    let answer = answers.get(name);
    if (answer === undefined) {
      answer = ask(name);
      answers.set(name, answer);
    }
    if (answer !== false) return answer;
  }
  return false;
}

function ask(name: string): string | false {
  switch (name) {
    case 'root':
      return process.getuid?.() === 0 ? false : 'needs root';
    case 'linux':
      return process.platform === 'linux' ? false : 'needs Linux';
    case 'namespaces':
      return spawnSync('unshare', ['--net', 'true']).status === 0 ? false : 'network namespaces cannot be made here';
    case 'shared':
      return existsSync(new URL('../../shared/seed', import.meta.url)) ? false : 'the ../shared folder is not here';
    default:
      return spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${name}`]).status === 0
        ? false
        : `the program ${name} is not installed`;
  }
}
