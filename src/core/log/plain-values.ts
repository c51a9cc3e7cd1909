/**
 * The variables that are a number or a text of the record and nothing else: most of a usual format. They have codes, and one function
 * reads them all, because a call of a function for each that the compiler can't see through costs more than the digits.
 */
import type { LogRecord } from './record.ts';

/** In the order of the cases in `numberOf`, from 1. Those of `growing` get a sign while the exchange goes on (`option logasap`). */
const numbers: readonly string[] = [
  ...['B', 'Ta', 'Tt', 'Tu'],
  ...['ST', 'Tc', 'Td', 'Th', 'Ti', 'Tq', 'TR', 'Tr', 'Ts', 'Tw', 'U'],
  ...['ac', 'bc', 'bq', 'fc', 'rt', 'sc', 'sq'],
];
const growing = 4;

/** In the order of the cases in `textOf`, after the numbers. */
const texts: readonly string[] = ['b', 'f', 'ft', 's', 'bi', 'ci', 'fi', 'si'];

/** @returns 0 for a variable that is neither. */
export function numberCode(name: string): number {
  return numbers.indexOf(name) + 1;
}

/** @returns 0 for a variable that is no text of the record. */
export function textCode(name: string): number {
  const index = texts.indexOf(name);
  return index < 0 ? 0 : numbers.length + 1 + index;
}

export function isNumber(code: number): boolean {
  return code <= numbers.length;
}

export function isGrowing(code: number): boolean {
  return code <= growing;
}

export function numberOf(code: number, record: LogRecord): number {
  switch (code) {
    case 1:
      return record.bytesRead;
    case 2:
      return record.activeMs;
    case 3:
      return record.totalMs;
    case 4:
      return record.totalMs - Math.max(0, record.idleMs);
    case 5:
      return record.status;
    case 6:
      return record.connectMs;
    case 7:
      return record.dataMs;
    case 8:
      return record.handshakeMs;
    case 9:
      return record.idleMs;
    case 10:
      return record.idleMs < 0 || record.requestMs < 0 ? -1 : record.handshakeMs + record.idleMs + record.requestMs;
    case 11:
      return record.requestMs;
    case 12:
      return record.responseMs;
    case 13:
      return Math.floor(record.acceptedWallMs / 1000);
    case 14:
      return record.queueMs;
    case 15:
      return record.bytesUploaded;
    case 16:
      return record.activeConnections;
    case 17:
      return record.backendConnections;
    case 18:
      return record.backendQueue;
    case 19:
      return record.frontendConnections;
    case 20:
      return record.requestCounter;
    case 21:
      return record.serverConnections;
    default:
      return record.serverQueue;
  }
}

export function textOf(code: number, record: LogRecord): string {
  switch (code - numbers.length) {
    case 1:
      return record.backendName;
    case 2:
    case 3:
      return record.frontendName;
    case 4:
      return record.serverName;
    case 5:
      return record.backendHost;
    case 6:
      return record.clientHost;
    case 7:
      return record.frontendHost;
    default:
      return record.serverHost;
  }
}
