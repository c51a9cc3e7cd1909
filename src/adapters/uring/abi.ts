/** io_uring's numbers, from linux/io_uring.h (the same on x86-64 and arm64). Names are the kernel's without their prefix. */

export const systemCall = { setup: 425, enter: 426, register: 427 } as const;

/** IORING_SETUP_* */
export const setup = {
  CQSIZE: 1 << 3,
  CLAMP: 1 << 4,
  SUBMIT_ALL: 1 << 7,
  COOP_TASKRUN: 1 << 8,
  SINGLE_ISSUER: 1 << 12,
  DEFER_TASKRUN: 1 << 13, // Linux 6.1
  NO_SQARRAY: 1 << 16, // Linux 6.6
} as const;

/** Offsets in struct io_uring_params; `sq` and `cq` are where its two offset tables begin. */
export const params = { bytes: 120, sqEntries: 0, cqEntries: 4, flags: 8, features: 20, sq: 40, cq: 80 } as const;
export const sqOffsets = { head: 0, tail: 4, ringMask: 8, ringEntries: 12, flags: 16, array: 24 } as const;
export const cqOffsets = { head: 0, tail: 4, ringMask: 8, ringEntries: 12, overflow: 16, cqes: 20 } as const;

/** IORING_SQ_*: what the kernel says in the submission queue's flags. */
export const submissionFlag = { CQ_OVERFLOW: 1 << 1 } as const;

/** IORING_FEAT_* */
export const feature = { MIN_TIMEOUT: 1 << 15 } as const; // Linux 6.12

/** Offsets for mmap of the ring's descriptor. */
export const mapAt = { rings: 0, entries: 0x1000_0000 } as const;

/** IORING_ENTER_* */
export const enter = { GETEVENTS: 1 << 0, EXT_ARG: 1 << 3, REGISTERED_RING: 1 << 4 } as const;

/** IORING_REGISTER_* */
export const register = { PROBE: 8, RING_FDS: 20, PBUF_RING: 22, SYNC_CANCEL: 24 } as const;

/** IORING_OP_* */
export const op = { POLL_ADD: 6, SENDMSG: 9, ACCEPT: 13, ASYNC_CANCEL: 14, CONNECT: 16, SEND: 26, RECV: 27 } as const;

/** IOSQE_* */
export const entryFlag = { BUFFER_SELECT: 1 << 5, CQE_SKIP_SUCCESS: 1 << 6 } as const; // Linux 5.17

/** POLLIN, POLLOUT, POLLRDHUP: errors and the end are told unasked. */
export const pollFor = { input: 0x1, output: 0x4, peerEnded: 0x2000 } as const;

/** Values of an entry's `ioprio`. */
export const acceptFlag = { MULTISHOT: 1 << 0 } as const;
export const receiveFlag = { POLL_FIRST: 1 << 0, MULTISHOT: 1 << 1 } as const;

/** IORING_ASYNC_CANCEL_* */
export const cancelFlag = { ALL: 1 << 0, FD: 1 << 1, ANY: 1 << 2 } as const;

/** IORING_CQE_F_* */
export const completionFlag = { BUFFER: 1 << 0, MORE: 1 << 1 } as const;
export const completionBufferShift = 16;

/** Error numbers that this adapter treats in a way of its own. */
export const errorNumber = { EINTR: 4, EAGAIN: 11, EBUSY: 16, ETIME: 62, ENOBUFS: 105, ECANCELED: 125 } as const;

/** What an entry of the ring is about: the low four bits of the first word of `user_data`. */
export const kind = {
  ignored: 0,
  receive: 1,
  send: 2,
  connect: 3,
  accept: 4,
  libuv: 5,
  readable: 6,
  writable: 7,
} as const;
export const kindBits = 4;
export const kindMask = (1 << kindBits) - 1;
