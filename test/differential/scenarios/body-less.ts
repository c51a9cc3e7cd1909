import { get, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'HEAD, 204 and 304 have no body, whatever their headers say',
  config: web('server a {server:a}'),
  servers: {
    a: {
      answers: [
        [{ send: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n' }],
        [{ send: 'HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n' }],
        [{ send: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\nETag: "x"\r\n\r\n' }],
        [{ send: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' }],
        [ok('end')],
      ],
    },
  },
  clients: [
    {
      to: 'web',
      steps: [
        { send: 'HEAD /1 HTTP/1.1\r\nHost: h\r\n\r\n' },
        { responses: 1 },
        get('/2'),
        { responses: 2 },
        get('/3'),
        { responses: 3 },
        { send: 'HEAD /4 HTTP/1.1\r\nHost: h\r\n\r\n' },
        { responses: 4 },
        get('/5'),
        { responses: 5 },
      ],
    },
  ],
};
