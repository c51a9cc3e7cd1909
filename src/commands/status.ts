/** `evergate status`: how the node that runs here is. */
import { askStatus, type NodeStatus } from './status/ask.ts';
import { judge } from './status/judge.ts';
import { renderStatus } from './status/render.ts';
import { Screen } from './status/screen.ts';
import { coloured, plain } from './status/text.ts';

export interface StatusOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly socket?: string;
}

const watchMs = 500;
/** Rates are counted over so many answers: two seconds, calm enough to be read. */
const rateAnswers = 4;

/** Sets the exit status: 0 all is well, 1 something is not, 2 nobody answers. */
export async function status(options: StatusOptions): Promise<void> {
  if (options.watch === true) return await watch(options);
  const answer = await askStatus(options.socket);
  process.stdout.write(`${shown(answer, options)}\n`);
  process.exitCode = judge(answer).exitStatus;
}

function shown(answer: NodeStatus, options: StatusOptions, before?: NodeStatus): string {
  if (options.json !== true) return renderStatus(answer, paint(), before).join('\n');
  return JSON.stringify({ ...judge(answer), ...answer }, undefined, options.watch === true ? undefined : 2);
}

function paint() {
  const colours =
    process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
  return colours ? coloured : plain;
}

/** Until Ctrl-C, or until nobody reads any more. In a pipe the whole again each time, an empty line between. */
async function watch(options: StatusOptions): Promise<void> {
  const live = process.stdout.isTTY === true && options.json !== true && process.env['TERM'] !== 'dumb';
  const screen = live ? new Screen(process.stdout) : undefined;
  let last: NodeStatus | undefined;
  const earlier: NodeStatus[] = [];
  const end = () => {
    screen?.close();
    process.exit(last === undefined ? 2 : judge(last).exitStatus);
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.on('SIGHUP', end);
  process.stdout.on('error', end);
  for (;;) {
    const startedAt = performance.now();
    const answer = await askStatus(options.socket);
    const text = shown(answer, options, earlier[0]);
    last = answer;
    earlier.push(answer);
    if (earlier.length > rateAnswers) earlier.shift();
    if (screen !== undefined) {
      const time = new Date().toTimeString().slice(0, 8);
      screen.draw([...text.split('\n'), '', paint()('dim', `${time}  Ctrl-C ends`)]);
    } else process.stdout.write(options.json === true ? `${text}\n` : `${text}\n\n`);
    await new Promise((resolve) => setTimeout(resolve, Math.max(50, watchMs - (performance.now() - startedAt))));
  }
}
