/**
 * Real-time signals, which Node can't catch by name: Keepalived's SIGJSON is one. Caught with libuv's own functions, which Node exports and
 * uses for every other signal.
 */
import koffi from 'koffi';

const handleBytes = 512; // sizeof(uv_signal_t) is 152 on 64-bit machines

/** Calls `act` on the main thread's event loop whenever the signal comes; false where that can't be had. Holds for the process's life. */
export function onSignalNumber(signal: number, act: () => void): boolean {
  try {
    const node = koffi.load(null);
    const loop = node.func('void *uv_default_loop()')();
    const handle = koffi.alloc('uint8_t', handleBytes);
    const callbackType = koffi.proto('void evergate_uv_signal(void *handle, int signal)');
    const callback = koffi.register(act, koffi.pointer(callbackType));
    const started =
      node.func('int uv_signal_init(void *loop, void *handle)')(loop, handle) === 0 &&
      node.func('int uv_signal_start(void *handle, void *callback, int signal)')(handle, callback, signal) === 0;
    // The signal alone must not keep the process alive.
    node.func('void uv_unref(void *handle)')(handle);
    return started;
  } catch {
    return false;
  }
}
