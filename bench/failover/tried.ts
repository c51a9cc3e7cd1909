/** What failovers are to take at most, and what was found and tried where they take longer. */

export interface Target {
  /** Of a case. */
  readonly name: string;
  readonly which: 'away' | 'back';
  /** Milliseconds of outage, and failed requests. */
  readonly most: { readonly median?: number; readonly worst?: number; readonly failed?: number };
}

export const targets: readonly Target[] = [
  { name: 'balancer-killed', which: 'away', most: { median: 20, worst: 40 } },
  { name: 'both-killed', which: 'away', most: { median: 100, worst: 200 } },
  { name: 'link-lost', which: 'away', most: { median: 100, worst: 200 } },
  { name: 'orderly-stop', which: 'away', most: { median: 10, worst: 30, failed: 0 } },
  { name: 'balancer-killed', which: 'back', most: { failed: 0 } },
  { name: 'both-killed', which: 'back', most: { failed: 0 } },
  { name: 'orderly-stop', which: 'back', most: { failed: 0 } },
  { name: 'partition-heals', which: 'back', most: { worst: 500 } },
];

export const remarks: readonly string[] = [
  'All nodes, the clients and the servers share two processors here. With no fault at all the longest silence of 650 ms was 4 to 17 ms (the windows before nine orderly stops).',
  "An orderly stop, by the scheduler's events: SIGTERM at 0.9 ms, the resignation answered by the standby's advertisement at 3.8, its tables, addresses and announcements there at 9.5; until then and 20 ms longer the old node answers. In three of five traces the longest silence was 285 ms later, when the process of the old balancer ends.",
  "A killed balancer: the standby has the address 3.6 to 6.5 ms after the kill (four of five trials, the fifth 15). The rest falls into the time in which the kernel takes back the dead process's memory and the launcher starts it again, on the same two processors.",
  'Kept for these figures: the daemon watches a thread of the balancer (pidfd) instead of waiting for its parent, 200 → some milliseconds; priority 0 is answered at once instead of after the skew, 600 ms; addresses linger on the old node until the new one was heard, and what is open is passed on: 121 failed requests → 0; BFD with a question before the verdict.',
  'Tried at the stop without a gain that could be measured: no note of what is open (15 ms of a processor; 9 trials each: 12.7 ms before, 16.0 after, beside other work). Preparing the tables of nf_tables while a node is standby would save time in which the old node answers anyway.',
  "A link that returns cost clients up to 0.8 s with the tuned files, or a request or two: with the link the kernel forgets the servers' hardware addresses, asks for them in vain, and asks again only up to a second after its last question, when the node has its address back already. Now the daemon has it ask at once when the link is there. Compared in namespaces, IPv4 and IPv6, an unanswered entry and a connection that waits for it: nothing done, answered after 0.82 to 0.95 s; the entry deleted, a new connection at once, but the waiting one fails (no route to host); the entry forgotten and used again, both within 10 ms. Asking the kernel to use it alone changes nothing.",
  "Idle, the aim was 0.5 % of a processor and 60 MB. The standby is near it and the active node above: it wakes up 25 to 27 times a second and the standby 14 to 23, most of them for BFD, 0.1 to 0.25 ms each. Tried: BFD at 2 × 50 ms instead of 3 × 25 (1.5 → 0.6 %), a standby that leaves packets in the socket until it must judge (1.1 → 0.5), one timer of libuv instead of Node's (153 → 87 µs a wake-up), no optimizing compilers, no threads of V8 (docs/decisions.md).",
];
