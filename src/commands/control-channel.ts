/** The channel between the launcher of `evergate run` and its halves: lines of text on an inherited descriptor, both ways. */
import { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';

/** What is read at a time; longer lines come in parts. */
const readBytesMax = 1_024;

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
  const decoder = new StringDecoder();
  const cut = lineCutter(heard);
  // Into one buffer and past the stream: several times a second the VRRP daemon is woken by nothing but a beat.
  const callback = (length: number, bytes: Uint8Array) => {
    cut(decoder.write(bytes.subarray(0, length)));
    return true;
  };
  const socket = new Socket({
    fd: Number(fd),
    readable: true,
    writable: true,
    onread: { buffer: new Uint8Array(readBytesMax), callback },
  });
  socket.on('error', () => {});
  socket.on('close', ended);
  // So that its end is told.
  socket.resume();
  // The channel alone must not keep a half alive that has nothing left to do.
  socket.unref();
  return {
    say: (line) => {
      if (socket.writable) socket.write(`${line}\n`);
    },
  };
}

/** Calls `heard` with each line. */
export function linesOf(channel: Socket, heard: (line: string) => void): void {
  channel.setEncoding('utf8').on('data', lineCutter(heard));
}

/** Takes text as it comes. */
function lineCutter(heard: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) heard(line);
  };
}
