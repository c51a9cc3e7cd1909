import { abc, type Scenario, web } from '../scenario.ts';

const sizes = ['+5', '0x5', '-1', 'fffffffffffffffff', '5\n', ''];

export const scenario: Scenario = {
  title: 'chunk sizes that are no plain hexadecimal number',
  config: web('server a {server:a}'),
  servers: abc,
  clients: sizes.map((size) => ({
    to: 'web',
    steps: [
      { send: `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\nhello\r\n0\r\n\r\n` },
      { responses: 1 },
    ],
  })),
};
