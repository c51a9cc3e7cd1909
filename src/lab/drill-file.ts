/**
 * A drill as people write it: a YAML file with a title, steps in order, and what is expected. Text in, Drill or a readable error out; pure.
 *
 *     title: The balancer is killed on the active node
 *     steps:
 *       - kill: balancer
 *         on: active
 *       - wait: settled
 *         within: 20 s
 *     expect:
 *       failed: 0
 *
 * A step has one verb. `on` says where: active, standby, preferred, all, server (the first one), servers, or a name. `at: 2 s` holds a step
 * back until that long after the first one. Steps under `before` prepare and are not measured.
 */
import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

export interface Drill {
  /** The file's name without its ending. */
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly before: readonly Step[];
  readonly steps: readonly Step[];
  readonly expect: Expectation;
}

export interface Step {
  readonly verb: Verb;
  readonly what: string;
  readonly on: string;
  /** Not before this long after the first step, milliseconds. */
  readonly atMs: number | undefined;
  /** How long a `wait` may take, or how long a `stall` or `overload` lasts, milliseconds. */
  readonly ms: number;
}

export interface Expectation {
  /** Most requests that may fail. Undefined: as many as the prediction's outage explains. */
  readonly failed?: number;
  /** Most connections that may break inside an exchange. */
  readonly broken?: number;
  /** Longest outage, milliseconds; beside what the configuration allows. */
  readonly outageMs?: number;
}

/** Each verb with what may follow it, and where it happens when nobody says. */
export const verbs = {
  kill: { what: ['balancer', 'vrrp', 'both', 'server', 'log'], on: 'active' },
  freeze: { what: ['balancer', 'vrrp', 'node', 'server'], on: 'active' },
  thaw: { what: ['balancer', 'vrrp', 'node', 'server'], on: 'preferred' },
  stall: { what: ['balancer', 'vrrp', 'node', 'server'], on: 'active' },
  start: { what: ['node', 'server', 'log'], on: 'preferred' },
  stop: { what: ['node'], on: 'active' },
  unplug: { what: ['link'], on: 'active' },
  plug: { what: ['link'], on: 'preferred' },
  power: { what: ['off', 'on'], on: 'active' },
  reload: { what: ['same', 'bad'], on: 'active' },
  answer: { what: ['ok', 'status', 'slow', 'mute'], on: 'server' },
  firewall: {
    what: ['eats advertisements', 'eats received advertisements', 'eats sent advertisements', 'off'],
    on: 'active',
  },
  delete: { what: ['address'], on: 'active' },
  intruder: { what: ['starts', 'ends'], on: 'client' },
  overload: { what: ['requests'], on: 'client' },
  descriptors: { what: ['exhausted', 'restored'], on: 'active' },
  wait: { what: ['settled', 'answers', 'servers'], on: 'all' },
  hold: { what: [], on: 'all' },
} as const satisfies Record<string, { readonly what: readonly string[]; readonly on: string }>;

export type Verb = keyof typeof verbs;

export type ParsedDrill = { readonly drill: Drill } | { readonly errors: readonly string[] };

/** @param path of the file, for the name and for errors (`path:line: what`). */
export function parseDrill(path: string, text: string): ParsedDrill {
  return new Reader(path, text).read();
}

/** `500 ms`, `2 s`, `1.5s`, `100` (milliseconds); undefined when it is none of them. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|min)?$/.exec(text.trim());
  if (match === null) return undefined;
  return Number(match[1]) * { ms: 1, s: 1000, min: 60_000 }[(match[2] ?? 'ms') as 'ms' | 's' | 'min'];
}

const defaultWaitMs = 20_000;

class Reader {
  readonly #path: string;
  readonly #text: string;
  readonly #lines = new LineCounter();
  readonly #errors: string[] = [];

  constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  read(): ParsedDrill {
    const document = parseDocument(this.#text, { lineCounter: this.#lines });
    for (const { pos, message } of document.errors)
      this.#errors.push(`${this.#path}:${this.#lines.linePos(pos[0]).line}: ${message.split('\n')[0]}`);
    if (this.#errors.length > 0) return { errors: this.#errors };
    const fields = this.#fields(document.contents, ['title', 'about', 'before', 'steps', 'expect']);
    const title = this.#text_(fields.get('title'), 'title');
    const drill: Drill = {
      name: (this.#path.split('/').at(-1) ?? '').replace(/\.ya?ml$/, ''),
      title,
      about: fields.has('about') ? this.#text_(fields.get('about'), 'about') : '',
      before: this.#steps(fields.get('before')),
      steps: this.#steps(fields.get('steps')),
      expect: this.#expectation(fields.get('expect')),
    };
    if (title === '') this.#error(document.contents, 'a drill needs a title');
    if (drill.steps.length === 0 && this.#errors.length === 0)
      this.#error(fields.get('steps') ?? document.contents, 'a drill needs steps');
    return this.#errors.length > 0 ? { errors: this.#errors } : { drill };
  }

  #fields(node: unknown, known: readonly string[]): Map<string, Node> {
    const fields = new Map<string, Node>();
    if (!isMap(node)) {
      this.#error(node, `expected ${known.join(', ')}`);
      return fields;
    }
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue;
      const key = String(pair.key.value);
      if (known.includes(key)) fields.set(key, pair.value as Node);
      else this.#error(pair.key, `"${key}" is not known here (known: ${known.join(', ')})`);
    }
    return fields;
  }

  #steps(node: Node | undefined): Step[] {
    if (node === undefined) return [];
    if (!isSeq(node)) {
      this.#error(node, 'expected a list of steps');
      return [];
    }
    return node.items.flatMap((item) => this.#step(item as Node) ?? []);
  }

  #step(node: Node): Step | undefined {
    const fields = this.#fields(node, [...Object.keys(verbs), 'on', 'at', 'within', 'for']);
    const found = [...fields.keys()].filter((key): key is Verb => key in verbs);
    const [verb] = found;
    if (verb === undefined || found.length > 1) {
      this.#error(node, found.length > 1 ? `one verb a step, not ${found.join(' and ')}` : 'a step needs a verb');
      return undefined;
    }
    const value = this.#text_(fields.get(verb), verb);
    const { what, on } = verbs[verb] as { readonly what: readonly string[]; readonly on: string };
    const duration = (key: string) => (fields.has(key) ? this.#duration(fields.get(key)!) : undefined);
    if (verb !== 'hold' && !what.includes(verb === 'answer' ? (value.split(' ')[0] ?? '') : value))
      this.#error(fields.get(verb), `${verb}: expected ${what.join(', ')}, not "${value}"`);
    const ms = verb === 'hold' ? this.#duration(fields.get('hold')!) : (duration('within') ?? duration('for'));
    const standing = value === 'server' || verb === 'answer' ? 'server' : on;
    return {
      verb,
      what: value,
      on: fields.has('on') ? this.#text_(fields.get('on'), 'on') : standing,
      atMs: duration('at'),
      ms: ms ?? defaultWaitMs,
    };
  }

  #expectation(node: Node | undefined): Expectation {
    if (node === undefined) return {};
    const fields = this.#fields(node, ['failed', 'broken', 'outage']);
    const count = (key: string) => {
      const value = Number(this.#text_(fields.get(key), key));
      if (!Number.isInteger(value) || value < 0) this.#error(fields.get(key), `${key}: expected a whole number`);
      return value;
    };
    return {
      ...(fields.has('failed') ? { failed: count('failed') } : {}),
      ...(fields.has('broken') ? { broken: count('broken') } : {}),
      ...(fields.has('outage') ? { outageMs: this.#duration(fields.get('outage')!) } : {}),
    };
  }

  #duration(node: Node): number {
    const text = this.#text_(node, 'a duration');
    const ms = parseDuration(text);
    if (ms === undefined) this.#error(node, `"${text}" is no duration (500 ms, 2 s)`);
    return ms ?? 0;
  }

  #text_(node: Node | undefined, name: string): string {
    if (isScalar(node) && node.value !== null) return String(node.value).trim();
    this.#error(node, `${name}: expected text`);
    return '';
  }

  #error(node: unknown, message: string): void {
    const range = (node as Node | undefined)?.range;
    const line = range === undefined || range === null ? 1 : this.#lines.linePos(range[0]).line;
    this.#errors.push(`${this.#path}:${line}: ${message}`);
  }
}
