/** `source <address>[:<port>]` of proxies and servers (manual 4.2 source, 5.2 source). */
import type { Placed, WrittenAddress } from './config.ts';
import type { Statement } from './statement.ts';

export function readSource(statement: Statement): Placed<WrittenAddress> {
  const address = statement.address('<addr>[:<port>] and optional arguments');
  const word = statement.peek();
  if (word?.text === 'usesrc' || word?.text === 'interface') {
    statement.take();
    statement.take();
    throw statement.refusal('unsupported-word', word.place, `'source' : '${word.text}' is not supported yet.`);
  }
  return address;
}
