/** As many requests as the proxy answers: wrk in a closed loop on one thread. Its answers are counted, its latencies are not used. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Children, output } from '../processes.ts';
import type { Variant } from '../settings.ts';

export interface Throughput {
  readonly requests: number;
  readonly perSecond: number;
}

export async function saturate(
  children: Children,
  on: string,
  variant: Variant,
  port: number,
  seconds: number,
  folder: string,
): Promise<Throughput> {
  const args = ['-t1', `-c${variant.connections}`, `-d${seconds}s`, '--timeout', '10s'];
  if (variant.close === 'client') args.push('-H', 'Connection: close');
  if (variant.direction === 'up') args.push('-s', uploadScript(folder, variant.bytes));
  const text = await output(children, on, 'wrk', [...args, `http://127.0.0.1:${port}${pathOf(variant)}`]);
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
  const perSecond = Number(/Requests\/sec:\s*([\d.]+)/.exec(text)?.[1] ?? 0);
  if (requests === 0 || /Non-2xx/.test(text)) throw new Error(`wrk found no good answers:\n${text}`);
  return { requests, perSecond };
}

/** An upload is answered with nothing. */
export function pathOf(variant: Variant): string {
  return `/${variant.direction === 'up' ? 0 : variant.bytes}`;
}

function uploadScript(folder: string, bytes: number): string {
  const file = join(folder, 'upload.lua');
  writeFileSync(file, `wrk.method = "POST"\nwrk.body = string.rep("x", ${bytes})\n`);
  return file;
}
