/** The machine's time zone, for the dates in log lines. */
import type { ZoneOffset } from '../core/log/dates.ts';

export const localZone: ZoneOffset = (wallMs) => -new Date(wallMs).getTimezoneOffset();
