/** Log destinations where system calls can't be had: Node's own sockets and streams, with the same promise never to wait. */
import { createSocket, type Socket } from 'node:dgram';
import type { SocketAddress } from '../core/address.ts';
import type { LogDestination } from './syslog.ts';

/** Bytes that Node may hold for us before lines are dropped. */
const waitingBytesMax = 65_536;

/** UDP. Datagram unix sockets don't exist in Node: their lines are dropped and counted. */
export class PortableUdpDestination implements LogDestination {
  droppedLines = 0;
  readonly #host: string = '';
  readonly #port: number = 0;
  #socket: Socket | undefined;
  #waitingBytes = 0;

  constructor(address: SocketAddress) {
    if (address.family === 'unix') return;
    this.#host = address.host;
    this.#port = address.port;
    this.#socket = createSocket(address.family === 'ipv4' ? 'udp4' : 'udp6');
    this.#socket.on('error', () => {});
    this.#socket.unref();
  }

  add(buffer: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.#socket === undefined || this.#waitingBytes + length > waitingBytesMax) {
      this.droppedLines++;
      return false;
    }
    this.#waitingBytes += length;
    this.#socket.send(buffer.slice(start, end), this.#port, this.#host, (error) => {
      this.#waitingBytes -= length;
      if (error) this.droppedLines++;
    });
    return false;
  }

  flush(): void {}

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }
}

export class PortableDescriptorDestination implements LogDestination {
  droppedLines = 0;
  readonly #stream: NodeJS.WriteStream;

  constructor(fd: 1 | 2) {
    this.#stream = fd === 1 ? process.stdout : process.stderr;
    this.#stream.on('error', () => {});
  }

  add(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.#stream.writableLength > waitingBytesMax) this.droppedLines++;
    else this.#stream.write(buffer.slice(start, end));
    return false;
  }

  flush(): void {}

  close(): void {}
}
