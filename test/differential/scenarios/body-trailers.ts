import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'trailers of a chunked response',
  config: web('server a {server:a}'),
  servers: {
    a: {
      answers: [
        [
          {
            send: 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n',
          },
        ],
      ],
    },
  },
  clients: [{ to: 'web', steps: [get('/1', 'TE: trailers\r\n'), { responses: 1 }, get('/2'), { responses: 2 }] }],
};
