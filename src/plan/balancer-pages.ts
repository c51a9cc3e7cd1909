/** Files with complete answers (`errorfile`), checked as HAProxy checks them when it starts: a head that can be read, a body that fits it. */

/**
 * What is wrong with the file, in words that follow its name; undefined when it can be sent.
 * An empty file is good: it means that the connection is closed without an answer.
 * @param bytesMax the longest answer, tune.bufsize.
 */
export function errorPageFault(content: Uint8Array, bytesMax: number): string | undefined {
  if (content.length === 0) return undefined;
  if (content.length > bytesMax) return `larger than ${bytesMax} bytes`;
  const text = Array.from(content, (byte) => String.fromCharCode(byte)).join('');
  const end = /\r?\n\r?\n/.exec(text);
  if (end === null) return 'unable to parse headers: there is no empty line after them';
  const [statusLine, ...fields] = text.slice(0, end.index).split(/\r?\n/);
  if (!/^HTTP\/[0-9]\.[0-9] [1-9][0-9]{2}(?: |$)/.test(statusLine!))
    return 'unable to parse headers: there is no status line such as HTTP/1.1 503 Reason';
  const bodyBytes = content.length - end.index - end[0].length;
  for (const field of fields) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(field);
    if (match === null) return `unable to parse headers: '${field}'`;
    const name = match[1]!.toLowerCase();
    if (name === 'transfer-encoding') return 'chunk-encoded payload not supported';
    if (name === 'content-length' && match[2] !== String(bodyBytes))
      return `payload size does not match the announced content-length (${bodyBytes} != ${match[2]})`;
  }
  return undefined;
}
