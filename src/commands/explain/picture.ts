/** A small picture of the cluster: the virtual address above the node that holds it, the others beside it. */
import type { RouterExplanation } from '../../plan/explain/explain.ts';
import { type Paint, pad, pageColumns } from './text.ts';

/** Lines without indent; empty for more nodes than fit side by side. */
export function picture({ priorities, normal, router }: RouterExplanation, paint: Paint): string[] {
  const names = priorities.map(({ member }) => member.node.name);
  const width = Math.max(16, ...names.map((name) => name.length + 4));
  const gap = 6;
  if (names.length * (width + gap) > pageColumns - 4) return [];
  const active = names.map((name) => normal.evergate.active.includes(name));
  const addresses = router.members[0]!.router.settings.addresses.map(({ address }) => address);
  const label = addresses.length > 1 ? `${addresses[0]} +${addresses.length - 1}` : (addresses[0] ?? 'no address');
  const cells = (of: (index: number) => string) =>
    names
      .map((_, index) => of(index))
      .join(' '.repeat(gap))
      .trimEnd();
  const middle = (text: string) => centre(text, width);
  const box = (index: number, text: string) =>
    active[index] ? paint('good', `┃${centre(text, width - 2)}┃`) : `│${centre(text, width - 2)}│`;
  const edge = (index: number, heavy: string, light: string) => {
    const [left, right, line] = [...(active[index] ? heavy : light)];
    const text = `${left}${line!.repeat(width - 2)}${right}`;
    return active[index] ? paint('good', text) : text;
  };
  const top = (index: number) => {
    const line = '━'.repeat(width - 2);
    const at = Math.floor((width - 2) / 2);
    return active[index] ? paint('good', `┏${line.slice(0, at)}┻${line.slice(at + 1)}┓`) : edge(index, '┏┓━', '┌┐─');
  };
  return [
    cells((index) => (active[index] ? paint('strong', middle(label)) : ' '.repeat(width))),
    cells((index) => (active[index] ? paint('good', middle('┃')) : ' '.repeat(width))),
    cells(top),
    cells((index) => box(index, names[index]!)),
    cells((index) => box(index, active[index] ? 'MASTER' : 'BACKUP')),
    cells((index) => box(index, `priority ${priorities[index]!.running}`)),
    cells((index) => edge(index, '┗┛━', '└┘─')),
  ].map((line) => line.trimEnd());
}

function centre(text: string, width: number): string {
  const left = Math.floor((width - [...text].length) / 2);
  return pad(' '.repeat(Math.max(0, left)) + text, width);
}
