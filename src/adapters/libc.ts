/**
 * System calls through libc, by koffi: every native function the program uses stands here, one line each.
 *
 * `libc()` loads on first use, so that a command that needs none pays nothing; on anything but Linux (or where koffi has no
 * prebuilt binary) it is undefined, and the caller takes its portable way. Functions return what C returns: -1 means failure,
 * and `errno()`, read before any other call, tells why.
 *
 * Memory: `buffer` arguments take a Uint8Array, valid for the call. Memory that the kernel keeps (rings, scatter lists) is made
 * with `stableBytes`, which never moves; its `address` goes into structures that hold pointers.
 */

import koffi from 'koffi';

/** An address in this process: what C calls `void *`. */
export type Pointer = bigint;
type Bytes = Uint8Array | Pointer | null;

function load() {
  const library = koffi.load(null);
  const c = (prototype: string) => library.func(prototype);
  return {
    getpid: c('int getpid()') as () => number,
    close: c('int close(int fd)') as (fd: number) => number,
    dup: c('int dup(int fd)') as (fd: number) => number,
    dup2: c('int dup2(int fd, int as)') as (fd: number, as: number) => number,
    fcntl: c('int fcntl(int fd, int command, int argument)') as (
      fd: number,
      command: number,
      argument: number,
    ) => number,
    inotify_init1: c('int inotify_init1(int flags)') as (flags: number) => number,
    inotify_add_watch: c('int inotify_add_watch(int fd, const char *path, uint32_t mask)') as (
      fd: number,
      path: string,
      mask: number,
    ) => number,
    read: c('intptr_t read(int fd, void *buffer, size_t length)') as (
      fd: number,
      buffer: Bytes,
      length: number,
    ) => number,
    write: c('intptr_t write(int fd, const void *buffer, size_t length)') as (
      fd: number,
      buffer: Bytes,
      length: number,
    ) => number,
    socket: c('int socket(int domain, int type, int protocol)') as (
      domain: number,
      type: number,
      protocol: number,
    ) => number,
    bind: c('int bind(int fd, const void *address, uint32_t length)') as (
      fd: number,
      address: Bytes,
      length: number,
    ) => number,
    listen: c('int listen(int fd, int backlog)') as (fd: number, backlog: number) => number,
    connect: c('int connect(int fd, const void *address, uint32_t length)') as (
      fd: number,
      address: Bytes,
      length: number,
    ) => number,
    shutdown: c('int shutdown(int fd, int how)') as (fd: number, how: number) => number,
    setsockopt: c('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)') as (
      fd: number,
      level: number,
      name: number,
      value: Bytes,
      length: number,
    ) => number,
    getsockopt: c('int getsockopt(int fd, int level, int name, void *value, void *length)') as (
      fd: number,
      level: number,
      name: number,
      value: Bytes,
      length: Bytes,
    ) => number,
    getsockname: c('int getsockname(int fd, void *address, void *length)') as (
      fd: number,
      address: Bytes,
      length: Bytes,
    ) => number,
    getpeername: c('int getpeername(int fd, void *address, void *length)') as (
      fd: number,
      address: Bytes,
      length: Bytes,
    ) => number,
    sendto: c(
      'intptr_t sendto(int fd, const void *buffer, size_t length, int flags, const void *to, uint32_t toLength)',
    ) as (fd: number, buffer: Bytes, length: number, flags: number, to: Bytes, toLength: number) => number,
    recvfrom: c('intptr_t recvfrom(int fd, void *buffer, size_t length, int flags, void *from, void *fromLength)') as (
      fd: number,
      buffer: Bytes,
      length: number,
      flags: number,
      from: Bytes,
      fromLength: Bytes,
    ) => number,
    sendmsg: c('intptr_t sendmsg(int fd, const void *message, int flags)') as (
      fd: number,
      message: Bytes,
      flags: number,
    ) => number,
    recvmsg: c('intptr_t recvmsg(int fd, void *message, int flags)') as (
      fd: number,
      message: Bytes,
      flags: number,
    ) => number,
    sendmmsg: c('int sendmmsg(int fd, void *messages, uint32_t count, int flags)') as (
      fd: number,
      messages: Bytes,
      count: number,
      flags: number,
    ) => number,
    pipe2: c('int pipe2(void *fds, int flags)') as (fds: Bytes, flags: number) => number,
    splice: c('intptr_t splice(int from, void *fromOffset, int to, void *toOffset, size_t length, uint32_t flags)') as (
      from: number,
      fromOffset: null,
      to: number,
      toOffset: null,
      length: number,
      flags: number,
    ) => number,
    mkfifo: c('int mkfifo(const char *path, uint32_t mode)') as (path: string, mode: number) => number,
    sched_setscheduler: c('int sched_setscheduler(int pid, int policy, const void *parameter)') as (
      pid: number,
      policy: number,
      parameter: Bytes,
    ) => number,
    sched_setaffinity: c('int sched_setaffinity(int thread, size_t length, const void *cpus)') as (
      thread: number,
      length: number,
      cpus: Bytes,
    ) => number,
    getrlimit: c('int getrlimit(int resource, void *limit)') as (resource: number, limit: Bytes) => number,
    setrlimit: c('int setrlimit(int resource, const void *limit)') as (resource: number, limit: Bytes) => number,
    unshare: c('int unshare(int flags)') as (flags: number) => number,
    setns: c('int setns(int fd, int kind)') as (fd: number, kind: number) => number,
    poll: c('int poll(void *fds, uint64_t count, int timeoutMs)') as (
      fds: Bytes,
      count: number,
      timeoutMs: number,
    ) => number,
    mmap: c('uintptr_t mmap(uintptr_t at, size_t length, int protection, int flags, int fd, intptr_t offset)') as (
      at: number,
      length: number,
      protection: number,
      flags: number,
      fd: number,
      offset: number,
    ) => number,
    munmap: c('int munmap(uintptr_t at, size_t length)') as (at: number, length: number) => number,
    madvise: c('int madvise(uintptr_t at, size_t length, int advice)') as (
      at: number,
      length: number,
      advice: number,
    ) => number,
    munlockall: c('int munlockall()') as () => number,
    /** syscall(2) with six words: pointers as numbers. Declared without `...` because koffi's plain calls are cheaper; the registers are the same. */
    syscall: c(
      'intptr_t syscall(intptr_t number, intptr_t a, intptr_t b, intptr_t c, intptr_t d, intptr_t e, intptr_t f)',
    ) as (number: number, a: number, b: number, c: number, d: number, e: number, f: number) => number,
    if_nametoindex: c('uint32_t if_nametoindex(const char *name)') as (name: string) => number,
  };
}

export type Libc = ReturnType<typeof load>;

let loaded: Libc | undefined | false = false;

/** The functions, or undefined where they can't be had: not Linux, or no native binary for this machine. */
export function libc(): Libc | undefined {
  if (loaded === false) {
    try {
      loaded = process.platform === 'linux' ? load() : undefined;
    } catch {
      loaded = undefined;
    }
  }
  return loaded;
}

/** The error number of the last failed call. */
export function errno(): number {
  return koffi.errno();
}

const errorNames = new Map<number, string>();

/** Name of an error number ('ECONNREFUSED'), or its digits. */
export function errorName(number: number): string {
  if (errorNames.size === 0)
    for (const [name, value] of Object.entries(koffi.os.errno)) if (!errorNames.has(value)) errorNames.set(value, name);
  return errorNames.get(number) ?? String(number);
}

/** Zeroed memory outside the JavaScript heap, which never moves and lives as long as the process. */
export function stableBytes(length: number): { readonly bytes: Uint8Array; readonly address: Pointer } {
  const address = koffi.alloc('uint8_t', length) as Pointer;
  const bytes = new Uint8Array(koffi.view(address, length));
  bytes.fill(0);
  return { bytes, address };
}

/** Pages of the process's own (`fd` -1) or of a device, as bytes. They stay mapped for the process's life. Undefined: see errno. */
export function mapBytes(
  length: number,
  fd: number,
  offset: number,
): { readonly bytes: Uint8Array; readonly address: number } | undefined {
  const readWrite = 3;
  const flags = fd < 0 ? 0x22 : 0x8001; // MAP_PRIVATE | MAP_ANONYMOUS, or MAP_SHARED | MAP_POPULATE
  const address = libc()!.mmap(0, length, readWrite, flags, fd, offset);
  if (address < 0 || address > Number.MAX_SAFE_INTEGER) return undefined;
  return { bytes: new Uint8Array(koffi.view(BigInt(address), length)), address };
}

/** Node's own event loop of this thread, as libuv sees it. */
export interface UvLoop {
  /** The descriptor that becomes readable when the loop has events to take. */
  readonly backendFd: number;
  /** Milliseconds that the loop may wait, counted from now: 0 = it has work at once, -1 = for ever. */
  backendTimeout(): number;
}

/** Undefined where koffi or the symbols are missing. */
export function uvLoop(): UvLoop | undefined {
  if (libc() === undefined) return undefined;
  try {
    const library = koffi.load(null);
    const loop: [bigint | null] = [null];
    library.func('int napi_get_uv_event_loop(void *environment, _Out_ void **loop)')(koffi.node.env, loop);
    const update = library.func('void uv_update_time(void *loop)') as (loop: Pointer) => void;
    const timeout = library.func('int uv_backend_timeout(void *loop)') as (loop: Pointer) => number;
    const backendFd = library.func('int uv_backend_fd(void *loop)') as (loop: Pointer) => number;
    const pointer = loop[0]!;
    return {
      backendFd: backendFd(pointer),
      backendTimeout: () => {
        const first = timeout(pointer);
        if (first <= 0) return first;
        // The loop's idea of the time is from its last turn: the wait would come out too long.
        update(pointer);
        return timeout(pointer);
      },
    };
  } catch {
    return undefined;
  }
}

/** Linux's numbers (asm-generic: the same on x86-64 and arm64). */
export const linux = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  AF_NETLINK: 16,
  AF_PACKET: 17,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_RAW: 3,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_KEEPALIVE: 9,
  SO_LINGER: 13,
  SO_REUSEPORT: 15,
  SO_ACCEPTCONN: 30,
  SO_BINDTODEVICE: 25,
  IPPROTO_IP: 0,
  IP_TRANSPARENT: 19,
  IPPROTO_TCP: 6,
  TCP_NODELAY: 1,
  TCP_DEFER_ACCEPT: 9,
  TCP_USER_TIMEOUT: 18,
  IPPROTO_UDP: 17,
  UDP_SEGMENT: 103,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: 26,
  IPV6_TRANSPARENT: 75,
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
  F_GETFL: 3,
  F_SETFL: 4,
  F_SETPIPE_SZ: 1031,
  O_NONBLOCK: 0o4000,
  O_CLOEXEC: 0o2000000,
  SPLICE_F_MOVE: 1,
  SPLICE_F_NONBLOCK: 2,
  EINTR: 4,
  EAGAIN: 11,
  EMSGSIZE: 90,
  ENOBUFS: 105,
} as const;
