/** Names that stand for numbers in routes and rules, where ip-route(8) and getprotobyname(3) look for them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RoutingNames } from '../plan/vrrp-context.ts';

const folders = ['/etc/iproute2', '/usr/share/iproute2'];
const files: Readonly<Record<Exclude<RoutingNames, 'ip-protocol'>, string>> = {
  table: 'rt_tables',
  protocol: 'rt_protos',
  realm: 'rt_realms',
  tos: 'rt_dsfield',
  group: 'group',
};

/** Undefined: no file has it. What an administrator wrote in /etc goes before what the package brought. */
export function lookUpRoutingName(kind: RoutingNames, name: string): number | undefined {
  if (kind === 'ip-protocol') return find(read('/etc/protocols'), name.toLowerCase(), 0);
  for (const folder of folders)
    for (const path of [join(folder, files[kind]), ...more(join(folder, `${files[kind]}.d`))]) {
      const number = find(read(path), name, 1);
      if (number !== undefined) return number;
    }
  return undefined;
}

/** @param nameAt `NUMBER NAME` in iproute2's files, `NAME NUMBER ALIAS` in protocols(5). */
function find(text: string, name: string, nameAt: 0 | 1): number | undefined {
  for (const line of text.split('\n')) {
    const words = line.replace(/#.*/, '').trim().split(/\s+/);
    const number = Number(words[1 - nameAt]);
    if (words[nameAt] === name && Number.isInteger(number)) return number;
  }
  return undefined;
}

function more(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.conf'))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
