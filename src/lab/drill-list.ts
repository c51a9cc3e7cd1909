/** Which drills there are: those that come with the program, and the user's own files. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Drill, parseDrill } from './drill-file.ts';

const folder = fileURLToPath(new URL('../../drills/', import.meta.url));

/** In the order in which they make sense to a reader; files that are not named here come after, by name. */
const order = [
  'balancer-killed',
  'both-killed',
  'vrrp-killed',
  'link-lost',
  'link-returns',
  'power-lost',
  'node-returns',
  'node-frozen',
  'balancer-frozen',
  'clock-stall',
  'orderly-stop',
  'preferred-returns',
  'reload',
  'reload-bad-file',
];

/**
 * @param wanted names of drills that come with the program, or paths of files; undefined: all that come with it.
 * @returns the drills, or everything that is wrong.
 */
export function loadDrills(
  wanted: readonly string[] | undefined,
): { readonly drills: readonly Drill[] } | { readonly errors: readonly string[] } {
  const known = readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.replace(/\.yaml$/, ''))
    .sort((a, b) => place(a) - place(b) || a.localeCompare(b));
  const drills: Drill[] = [];
  const errors: string[] = [];
  for (const name of wanted ?? known) {
    const path = known.includes(name) ? `${folder}${name}.yaml` : name;
    try {
      const parsed = parseDrill(path, readFileSync(path, 'utf8'));
      if ('errors' in parsed) errors.push(...parsed.errors);
      else drills.push(parsed.drill);
    } catch {
      errors.push(`no drill and no file is called "${name}" (evergate drill --list shows the drills)`);
    }
  }
  return errors.length > 0 ? { errors } : { drills };
}

function place(name: string): number {
  const found = order.indexOf(name);
  return found < 0 ? order.length : found;
}
