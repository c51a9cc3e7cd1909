/** Says once what is wrong with what a neighbour sends, and again every minute while it goes on: a flood must not become a flood of lines. */
import type { ReceiveError, ReceiveRemark } from '../../core/vrrp/receive.ts';
import type { Journal } from '../ports/logs.ts';
import type { Clock } from '../ports/time.ts';

const quietMs = 60_000;
/** Senders and kinds remembered; forged senders must not fill the memory. */
const rememberedMax = 256;

const remarks: Readonly<Record<ReceiveRemark, string>> = {
  'interval-differs': 'advertises with another interval than ours',
  'address-list-differs': 'advertises other addresses than ours',
  'checksum-plain': 'makes its checksum without the pseudo-header (RFC 9568): v3_checksum_as_v2 would do the same here',
  'checksum-old-unicast': 'makes its checksum as Keepalived before 1.3.7 did',
};

export class ReceiveLog {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #router: () => string;
  readonly #saidAt = new Map<string, number>();

  constructor(journal: Journal, clock: Clock, router: () => string) {
    this.#journal = journal;
    this.#clock = clock;
    this.#router = router;
  }

  rejected(source: string, error: ReceiveError, message: string): void {
    if (error !== 'own' && this.#mayTell(`${source} ${error}`))
      this.#journal.log('info', `(${this.#router()}) ${message} (from ${source})`);
  }

  remarked(source: string, remark: ReceiveRemark): void {
    if (this.#mayTell(`${source} ${remark}`))
      this.#journal.log('info', `(${this.#router()}) ${source} ${remarks[remark]}`);
  }

  #mayTell(key: string): boolean {
    const now = this.#clock.now();
    const saidAt = this.#saidAt.get(key);
    if (saidAt !== undefined && now - saidAt < quietMs) return false;
    if (this.#saidAt.size >= rememberedMax) this.#saidAt.clear();
    this.#saidAt.set(key, now);
    return true;
  }
}
