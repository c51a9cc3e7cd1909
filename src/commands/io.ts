/** Which Streams adapter carries the data plane: io_uring where the kernel has what is needed and allows it, Node's sockets otherwise. */
import { uringAvailable } from '../adapters/uring/available.ts';

export type IoKind = 'uring' | 'net';

/**
 * @param wanted `auto`, `uring` or `net` (`--io`).
 * @param say told in one line what was chosen and why.
 */
export function chooseIo(wanted: string, say: (text: string) => void): IoKind {
  if (wanted === 'net') return 'net';
  const reason = uringAvailable();
  if (reason === undefined) {
    say('Sockets through io_uring.');
    return 'uring';
  }
  if (wanted === 'uring') {
    process.stderr.write(`evergate: --io=uring cannot be had here: ${reason}\n`);
    process.exit(1);
  }
  say(`Sockets through Node: ${reason}.`);
  return 'net';
}
