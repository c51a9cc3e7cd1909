/**
 * Every maximum of the program, each with the reason for its number. A queue, buffer, table or loop without a line here is a mistake.
 */

/** Bytes a stream may have queued before `write` answers false. Two of HAProxy's buffers (tune.bufsize 16384). */
export const highWaterBytes = 32_768;

/** Queue length at which `drained` is told: half a buffer keeps the pipe busy while the next read is made. */
export const lowWaterBytes = 8_192;

/** Longest request or response head, HAProxy's tune.bufsize (16384) less its tune.maxrewrite (1024). */
export const headBytesMax = 15_360;

/** Most header fields in a head: HAProxy's tune.http.maxhdr. */
export const headerFieldsMax = 101;
