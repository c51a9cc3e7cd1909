/** The formats that have a name (configuration manual 8.2), as `log-format` texts. */
import type { FormatMode } from './parse.ts';

/** `option httplog` */
export const httpLog =
  '%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r';

/** `option httplog clf` */
export const httpLogClf =
  '%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl';

/** `option tcplog` */
export const tcpLog = '%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq';

/**
 * The short line without any of these options. Unlike the others it is written when the connection is accepted; on a
 * unix socket the port is the listener's id.
 */
export function connectLog(mode: FormatMode, unix: boolean): string {
  const name = `(%f/${mode.toUpperCase()})`;
  return unix ? `Connect from unix:%cp ${name}` : `Connect from %ci:%cp to %fi:%fp ${name}`;
}
