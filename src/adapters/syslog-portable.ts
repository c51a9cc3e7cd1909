/** Log destinations where system calls can't be had: Node's own sockets and streams, with the same promise never to wait. */
import { createSocket, type Socket } from 'node:dgram';
import type { SocketAddress } from '../core/address.ts';
import { lineBytesMax } from '../engine/ports/logs.ts';
import type { LogDestination } from './syslog.ts';

/** Bytes that Node may hold for us before lines are dropped. */
const waitingBytesMax = 65_536;

/** UDP. Datagram unix sockets don't exist in Node: their lines are dropped and counted. */
export class PortableUdpDestination implements LogDestination {
  droppedLines = 0;
  /** Node takes each line at once, so all begin at the same place. */
  readonly page = { bytes: new Uint8Array(lineBytesMax), end: 0 };
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

  commit(length: number): boolean {
    if (this.#socket === undefined || this.#waitingBytes + length > waitingBytesMax) {
      this.droppedLines++;
      return false;
    }
    this.#waitingBytes += length;
    this.#socket.send(this.page.bytes.slice(0, length), this.#port, this.#host, (error) => {
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
  /** Node takes each line at once, so all begin at the same place. */
  readonly page = { bytes: new Uint8Array(lineBytesMax), end: 0 };
  readonly #stream: NodeJS.WriteStream;

  constructor(fd: 1 | 2) {
    this.#stream = fd === 1 ? process.stdout : process.stderr;
    this.#stream.on('error', () => {});
  }

  commit(end: number): boolean {
    if (this.#stream.writableLength > waitingBytesMax) this.droppedLines++;
    else this.#stream.write(this.page.bytes.slice(0, end));
    return false;
  }

  flush(): void {}

  close(): void {}
}
