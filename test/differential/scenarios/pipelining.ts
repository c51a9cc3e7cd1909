import { abc, ok, type Scenario, serverLines, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'requests sent in one go are answered in order',
  config: web(serverLines),
  servers: { ...abc, a: { answers: [[{ pause: 80 }, ok('slow')]] } },
  clients: [
    {
      to: 'web',
      steps: [
        {
          send: 'GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\nPOST /3 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbodyGET /4 HTTP/1.1\r\nHost: h\r\n\r\n',
        },
        { responses: 4 },
      ],
    },
  ],
};
