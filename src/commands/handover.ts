/** `evergate handover`: gives the virtual addresses to another node, in an orderly way, and waits until it has them. */
import type { ControlAnswer } from '../engine/failover/control.ts';
import type { HandoverProgress } from '../engine/failover/control-handover.ts';
import { openVrrp } from './status/ask.ts';

export interface HandoverOptions {
  readonly force?: boolean;
  readonly socket?: string;
}

/** The daemon keeps the time; this is only how soon we hear of it. */
const lookMs = 25;

/** Exit status: 0 handed over (or nothing was held), 1 nobody took over, 2 no daemon or no such router. */
export async function handover(instance: string | undefined, options: HandoverOptions): Promise<void> {
  const client = await openVrrp(options.socket);
  const name = instance === undefined ? '' : ` ${instance}`;
  try {
    let answer = (await client.ask(`handover${options.force === true ? ' --force' : ''}${name}`)) as ControlAnswer;
    while (answer.ok && 'handover' in answer && answer.handover.some(({ outcome }) => outcome === 'waiting')) {
      await new Promise((resolve) => setTimeout(resolve, lookMs));
      answer = (await client.ask(`handover-progress${name}`)) as ControlAnswer;
    }
    if (!answer.ok || !('handover' in answer)) {
      process.stderr.write(`evergate: ${answer.ok ? 'the daemon answered something else' : answer.message}\n`);
      process.exitCode = 2;
      return;
    }
    for (const progress of answer.handover) process.stdout.write(`${describe(progress, options.force === true)}\n`);
    if (answer.handover.some(({ outcome }) => outcome === 'nobody' || outcome === 'resumed')) process.exitCode = 1;
  } catch (error) {
    process.stderr.write(`evergate: ${(error as Error).message}\n`);
    process.exitCode = 2;
  } finally {
    client.close();
  }
}

function describe({ router, outcome, by, afterMs, patienceMs }: HandoverProgress, forced: boolean): string {
  switch (outcome) {
    case 'taken-over':
      return `${router}: ${by} took over after ${Math.round(afterMs ?? 0)} ms. \`evergate resume\` lets this node take part again.`;
    case 'was-not-active':
      return `${router}: was not active, stays out until \`evergate resume\`.`;
    case 'nobody':
      return forced
        ? `${router}: nobody took over within ${patienceMs} ms. Its addresses are nowhere now, as --force asked for, until \`evergate resume\`.`
        : `${router}: refused: no other node took over within ${patienceMs} ms. Taken back. (No standby runs, or it does not hear this node: \`evergate trace\` there. --force hands over all the same.)`;
    default:
      return `${router}: resumed by somebody else meanwhile.`;
  }
}
