/** What is measured: the settings of the bench, each with its variants. A variant is one configuration of the proxies and one load. */

export interface Variant {
  /** The setting's number. */
  readonly setting: number;
  /** Short, unique within the setting. */
  readonly name: string;
  readonly mode: 'http' | 'tcp';
  /** Threads of the proxy. */
  readonly threads: number;
  readonly connections: number;
  /** What is asked for: an answer of `bytes`, or a body of `bytes` sent up. */
  readonly direction: 'down' | 'up';
  readonly bytes: number;
  /** One line for each request to a live UDP receiver. */
  readonly log: boolean;
  /** Which connections end after one request. */
  readonly close: 'none' | 'client' | 'both';
  /** Idle keep-alive connections that are open meanwhile. */
  readonly idle: number;
  /** One client that asks for large answers and reads them slowly. */
  readonly slowReader: boolean;
}

const usual = {
  mode: 'http',
  threads: 1,
  connections: 64,
  direction: 'down',
  bytes: 512,
  log: false,
  close: 'none',
  idle: 0,
  slowReader: false,
} as const;

export const settings: readonly { readonly number: number; readonly title: string }[] = [
  { number: 1, title: 'Keep-alive, answers of 512 bytes, no log' },
  { number: 2, title: 'The same with option httplog to a live UDP receiver' },
  { number: 3, title: 'A new connection for every request' },
  { number: 4, title: 'Bodies of 64 KiB and 1 MiB' },
  { number: 5, title: 'TCP mode' },
  { number: 6, title: 'Idle keep-alive connections' },
  { number: 7, title: 'One slow reader among fast ones' },
];

export const variants: readonly Variant[] = [
  { ...usual, setting: 1, name: '64 connections' },
  { ...usual, setting: 1, name: '1000 connections', connections: 1000 },
  { ...usual, setting: 1, name: 'two threads', threads: 2 },
  { ...usual, setting: 2, name: '64 connections', log: true },
  { ...usual, setting: 3, name: 'client side', close: 'client' },
  { ...usual, setting: 3, name: 'both sides', close: 'both' },
  { ...usual, setting: 4, name: '64 KiB down', bytes: 65_536 },
  { ...usual, setting: 4, name: '1 MiB down', bytes: 1_048_576, connections: 16 },
  { ...usual, setting: 4, name: '1 MiB up', bytes: 1_048_576, connections: 16, direction: 'up' },
  { ...usual, setting: 5, name: 'small messages', mode: 'tcp' },
  { ...usual, setting: 5, name: 'bulk', mode: 'tcp', bytes: 1_048_576, connections: 16 },
  // HAProxy reserves two descriptors for each connection it may have, and 20,000 is a usual limit.
  { ...usual, setting: 6, name: '9000 idle', idle: 9000 },
  { ...usual, setting: 7, name: 'one slow reader', slowReader: true },
];

/** What the CPU figure is divided by. */
export function unitOf(variant: Variant): string {
  if (variant.close !== 'none') return 'connection';
  return variant.direction === 'up' ? 'upload' : 'request';
}
