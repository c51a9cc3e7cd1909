/** Upgrade (RFC 9110 §7.8): which protocols a client asked for, and whether a server's 101 names one of them. */
import { text } from '../../core/http1/bytes.ts';
import { field, type Head } from '../../core/http1/head.ts';

/** The protocols a request asks for, lower case, each between commas; undefined when it asks for nothing we pass on. */
export function requestedUpgrade(head: Head): string | undefined {
  if (!head.connectionUpgrade || !head.hasUpgrade || head.upgradeRefused || head.minor === 0) return undefined;
  return `,${protocols(head)},`;
}

export function acceptsUpgrade(head: Head, requested: string): boolean {
  if (!head.connectionUpgrade || !head.hasUpgrade) return false;
  return protocols(head)
    .split(',')
    .every((protocol) => requested.includes(`,${protocol},`));
}

function protocols(head: Head): string {
  const found: string[] = [];
  for (let i = 0; i < head.count; i++)
    if (head.ids[i] === field.upgrade)
      found.push(text(head.buffer, head.offsets[i * 4 + 2]!, head.offsets[i * 4 + 3]!).toLowerCase());
  return found.join(',').replace(/[ \t]/g, '');
}
