/**
 * Tells when a descriptor that Node knows nothing about (raw, packet and netlink sockets, process descriptors) has something to read.
 *
 * libuv watches any descriptor that epoll(7) takes, only Node offers that to nobody: so libuv's own functions are called, which Node exports.
 * It costs neither thread nor signal, and from the packet's arrival to the reader no system call but the one that libuv waits in.
 */
import koffi from 'koffi';
import { errorName, libc } from './libc.ts';
import { loopCall } from './loop-call.ts';

type Handle = unknown;

interface Uv {
  readonly loop: unknown;
  init(loop: unknown, handle: Handle, fd: number): number;
  start(handle: Handle, events: number, callback: unknown): number;
  stop(handle: Handle): number;
  unref(handle: Handle): void;
  close(handle: Handle, closed: unknown): void;
}

const handleBytes = 512; // sizeof(uv_poll_t) is 160 on 64-bit machines
const UV_READABLE = 1;
/** A closed handle is libuv's until the turn of its loop is over. */
const closingMs = 1_000;

const watched = new Map<number, { readonly handle: Handle; readonly callback: bigint }>();
let uv: Uv | undefined;
let callbackType: ReturnType<typeof koffi.pointer> | undefined;

/**
 * Calls `readable` on the main thread's loop whenever `fd` may have data; it must read until EAGAIN. The descriptor must be non-blocking.
 * Doesn't keep the process alive.
 * @returns the error's name when it can't be watched.
 */
export function watchDescriptor(fd: number, readable: () => void): string | undefined {
  const functions = uvFunctions();
  if (functions === undefined) return 'ENOSYS';
  const handle: Handle = koffi.alloc('uint8_t', handleBytes);
  const refused = functions.init(functions.loop, handle, fd);
  if (refused < 0) {
    koffi.free(handle as bigint);
    return errorName(-refused);
  }
  const callback = koffi.register(loopCall(readable), callbackType!);
  functions.unref(handle);
  functions.start(handle, UV_READABLE, callback);
  watched.set(fd, { handle, callback });
  return undefined;
}

/** `attentive` false: the descriptor's reader is left alone until it is called with true again. */
export function attendDescriptor(fd: number, attentive: boolean): void {
  const one = watched.get(fd);
  if (one === undefined || uv === undefined) return;
  if (attentive) uv.start(one.handle, UV_READABLE, one.callback);
  else uv.stop(one.handle);
}

/** Must be called before the descriptor is closed. */
export function unwatchDescriptor(fd: number): void {
  const one = watched.get(fd);
  if (one === undefined || uv === undefined) return;
  watched.delete(fd);
  uv.stop(one.handle);
  uv.close(one.handle, null);
  setTimeout(() => {
    koffi.unregister(one.callback);
    koffi.free(one.handle as bigint);
  }, closingMs).unref();
}

function uvFunctions(): Uv | undefined {
  if (uv !== undefined || libc() === undefined) return uv;
  try {
    const node = koffi.load(null);
    // The handle as a number: a pointer would become an object that the collector must finalize.
    callbackType = koffi.pointer(koffi.proto('void evergate_uv_poll(uintptr_t handle, int status, int events)'));
    uv = {
      loop: node.func('void *uv_default_loop()')(),
      init: node.func('int uv_poll_init(void *loop, void *handle, int fd)'),
      start: node.func('int uv_poll_start(void *handle, int events, void *callback)'),
      stop: node.func('int uv_poll_stop(void *handle)'),
      unref: node.func('void uv_unref(void *handle)'),
      close: node.func('void uv_close(void *handle, void *closed)'),
    };
  } catch {
    return undefined;
  }
  return uv;
}
