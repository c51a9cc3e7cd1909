/** disable_local_igmp: this host's reports about groups in 224.0.0.0/24, which switches forward everywhere anyway (RFC 4541 §2.1.2). */
import { readFileSync, writeFileSync } from 'node:fs';

const parameter = '/proc/sys/net/ipv4/igmp_link_local_mcast_reports';

/** @returns how to undo it, or why it failed. */
export function disableLocalIgmp(): { readonly restore: () => void } | { readonly failure: string } {
  try {
    const before = readFileSync(parameter, 'utf8').trim();
    writeFileSync(parameter, '0');
    return {
      restore: () => {
        try {
          writeFileSync(parameter, before);
        } catch {
          // The namespace is going, or the right to write is gone: nothing is left to put back.
        }
      },
    };
  } catch (error) {
    return { failure: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}
