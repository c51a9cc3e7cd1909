/** `evergate resume`: takes part in the election again after a hand-over. */
import type { ControlAnswer } from '../engine/failover/control.ts';
import { openVrrp } from './status/ask.ts';

export interface ResumeOptions {
  readonly socket?: string;
}

/** Exit status: 0 done, 2 no daemon or no such router. */
export async function resume(instance: string | undefined, options: ResumeOptions): Promise<void> {
  const client = await openVrrp(options.socket);
  try {
    const answer = (await client.ask(instance === undefined ? 'resume' : `resume ${instance}`)) as ControlAnswer;
    if (answer.ok && 'resumed' in answer) {
      const { resumed } = answer;
      process.stdout.write(
        resumed.length === 0 ? 'Nothing was handed over.\n' : `${resumed.join(', ')}: takes part again.\n`,
      );
      return;
    }
    process.stderr.write(`evergate: ${answer.ok ? 'the daemon answered something else' : answer.message}\n`);
    process.exitCode = 2;
  } catch (error) {
    process.stderr.write(`evergate: ${(error as Error).message}\n`);
    process.exitCode = 2;
  } finally {
    client.close();
  }
}
