/** The channel between the launcher of `evergate run` and its halves: lines of text on an inherited descriptor, both ways. */
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';

export interface ControlChannel {
  /** Sends one line; does nothing when the other side is gone. */
  say(line: string): void;
}

/**
 * @param fd the inherited descriptor (`--control-fd`), as text.
 * @param heard called with each line.
 * @param ended called when the launcher is gone: the half then stops in an orderly way, so that nobody is left alone.
 */
export function controlChannel(fd: string, heard: (line: string) => void, ended: () => void): ControlChannel {
  const socket = new Socket({ fd: Number(fd), readable: true, writable: true });
  socket.on('error', () => {});
  socket.on('close', ended);
  linesOf(socket, heard);
  // The channel alone must not keep a half alive that has nothing left to do.
  socket.unref();
  return {
    say: (line) => {
      if (socket.writable) socket.write(`${line}\n`);
    },
  };
}

/**
 * Calls `heard` with each line. Whoever ends with lines that it never read resets the channel (ECONNRESET), and readline tells that as an
 * error of its own besides the socket's: it is only the end of the lines.
 */
export function linesOf(channel: Socket, heard: (line: string) => void): void {
  createInterface(channel)
    .on('line', heard)
    .on('error', () => {});
}
