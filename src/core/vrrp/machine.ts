/** One virtual router's protocol machine (RFC 9568 §6.4, RFC 3768 §6.4). */

import type { RouterStatus, VrrpAction, VrrpEvent } from './events.ts';
import type { VirtualRouterSettings } from './settings.ts';

export interface VirtualRouter {
  readonly settings: VirtualRouterSettings;
  /** Takes one event in. `now`: monotonic milliseconds, never smaller than before. */
  handle(event: VrrpEvent, now: number): void;
  /** The next thing to do, in order, or undefined. */
  poll(): VrrpAction | undefined;
  /** When a `timer` event is due, or undefined. */
  deadline(): number | undefined;
  status(): RouterStatus;
}
