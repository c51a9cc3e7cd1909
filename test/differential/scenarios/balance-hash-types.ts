import { abc, get, httpDefaults, type Scenario } from '../scenario.ts';

const types = [
  'map-based sdbm',
  'map-based djb2',
  'map-based wt6',
  'map-based crc32',
  'map-based sdbm avalanche',
  'map-based djb2 avalanche',
  'consistent',
  'consistent sdbm',
  'consistent djb2',
  'consistent wt6 avalanche',
  'consistent crc32',
];
const keys = ['/', '/a', '/b', '/index.html', '/some/long/path/to/a/file.jpg', '/1', '/2', '/3', '/4', '/5'];

export const scenario: Scenario = {
  title: 'each hash function and method sends a key where HAProxy sends it',
  config: `${httpDefaults}
${types
  .map(
    (type, index) => `listen l${index}
  bind {bind:l${index}}
  balance uri
  hash-type ${type}
  server a {server:a} weight 2
  server b {server:b}
  server c {server:c}
`,
  )
  .join('')}`,
  servers: abc,
  clients: types.map((_, index) => ({
    to: `l${index}`,
    steps: keys.flatMap((key, number) => [get(key), { responses: number + 1 }]),
  })),
};
