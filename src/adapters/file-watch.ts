/**
 * `track_file`: the number at the beginning of a file, told when it changes.
 *
 * It is read when whoever writes it is done (inotify(7), IN_CLOSE_WRITE): `echo 3 > file` empties the file first, and an empty file counts 0,
 * which would be another priority for a moment, or the end of a fault.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { libc, linux } from './libc.ts';
import { viewOf } from './netlink-message.ts';
import { unwatchDescriptor, watchDescriptor } from './poll.ts';

const IN_CLOSE_WRITE = 0x8;
const IN_MOVED_FROM = 0x40;
const IN_MOVED_TO = 0x80;
const IN_CREATE = 0x100;
const IN_DELETE = 0x200;
const wanted = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE;
/** struct inotify_event without the name. */
const eventBytes = 16;
/** Some dozens of events; what is left comes with the next call. */
const bufferBytes = 4_096;

/** Watches the folder, not the file: a file that is missing or replaced by another is seen too. */
export class FileWatch {
  readonly #path: string;
  readonly #changed: (value: number) => void;
  #fd = -1;
  #value: number | undefined;

  constructor(path: string, changed: (value: number) => void) {
    this.#path = path;
    this.#changed = changed;
    this.#watchFolder();
    setImmediate(() => this.#look());
  }

  close(): void {
    if (this.#fd < 0) return;
    unwatchDescriptor(this.#fd);
    libc()?.close(this.#fd);
    this.#fd = -1;
  }

  /** Without such a folder the file counts 0, as one that is missing. */
  #watchFolder(): void {
    const c = libc();
    if (c === undefined) return;
    this.#fd = c.inotify_init1(linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC);
    if (this.#fd < 0) return;
    const added = c.inotify_add_watch(this.#fd, dirname(this.#path), wanted) >= 0;
    if (!added || watchDescriptor(this.#fd, () => this.#read()) !== undefined) {
      c.close(this.#fd);
      this.#fd = -1;
    }
  }

  #read(): void {
    const buffer = new Uint8Array(bufferBytes);
    const length = Number(libc()!.read(this.#fd, buffer, buffer.length));
    const name = basename(this.#path);
    for (let at = 0; at + eventBytes <= length; ) {
      const view = viewOf(buffer);
      const nameBytes = view.getUint32(at + 12, true);
      const named = Buffer.from(buffer.subarray(at + eventBytes, at + eventBytes + nameBytes)).toString();
      // Without a name: events were lost (IN_Q_OVERFLOW), or the folder itself is gone.
      if (nameBytes === 0 || named.replace(/\0+$/, '') === name) {
        this.#look();
        return;
      }
      at += eventBytes + nameBytes;
    }
  }

  #look(): void {
    let value = 0;
    try {
      value = Number.parseInt(readFileSync(this.#path, 'utf8'), 10) || 0;
    } catch {
      // Missing or unreadable counts 0 (keepalived.conf(5), track_file).
    }
    if (value === this.#value) return;
    this.#value = value;
    this.#changed(value);
  }
}
