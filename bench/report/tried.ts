/** What was tried for speed, what it brought and what became of it; and where the time goes that is left. */

export interface Attempt {
  readonly what: string;
  /** Numbers of the settings that it is for. */
  readonly settings: string;
  readonly measured: string;
  readonly outcome: 'kept' | 'dropped';
}

export const attempts: readonly Attempt[] = [
  {
    what: 'Log lines of equal length as one message that the kernel cuts into datagrams (UDP_SEGMENT), instead of sendmmsg alone',
    settings: '2',
    measured:
      'a line costs 0.7 µs instead of 3.0 (40 a batch), 1.4 instead of 3.8 (8 a batch); loopback, sender’s side',
    outcome: 'kept',
  },
  {
    what: 'Lines wait up to 5 ms for company',
    settings: '2',
    measured: 'a datagram sent alone costs 7 µs, as one of 40 with sendmmsg 3',
    outcome: 'kept',
  },
  {
    what: 'What only the log wants to know is not gathered where there is no log',
    settings: '1, 3',
    measured: '15 facts and 5 atomic loads a request less; the function had 2.4 % of the time',
    outcome: 'kept',
  },
  {
    what: 'The rewritten head of an answer goes over the one that was received, right before its body; both are sent from there',
    settings: '1, 2, 3, 4',
    measured: 'two copies of the body and one send slot less; 150 → 46 bytes of garbage a request in the proxy',
    outcome: 'kept',
  },
  {
    what: 'Field values are scanned by comparison instead of a table of byte classes',
    settings: '1, 2, 3',
    measured: 'nginx’s answer 511 → 462 ns, a browser’s request 720 → 531 ns',
    outcome: 'kept',
  },
  {
    what: 'Sends that don’t wait, counted as certain: a wait is for one completion more than those',
    settings: '1, 2, 3',
    measured:
      'one io_uring_enter hands over 8 to 44 entries and waits (strace, busy machine); HAProxy makes four calls a request, and epoll’s',
    outcome: 'kept',
  },
  {
    what: 'Registered ring descriptor, DEFER_TASKRUN, COOP_TASKRUN, SINGLE_ISSUER, no array of indexes',
    settings: 'all',
    measured: 'part of the prototype that spent 13–14 µs where HAProxy spent 19',
    outcome: 'kept',
  },
];

/** Of the processor time of the io_uring thread in setting 1, by perf (cpu-clock, 5,000 Hz). */
export const profile: readonly (readonly [string, string, string])[] = [
  ['sending: TCP, IP, loopback, and the receiver’s TCP in the same call', '39 %', '35 %'],
  ['receiving', '17 %', '18 %'],
  ['waiting and being told (io_uring, epoll)', '8 %', '7 %'],
  ['the proxy itself: heads, balancing, counting, queues', '33 %', '40 %'],
  ['V8’s compilers and collector', '3 %', ''],
];
