import { test } from 'node:test';
import { netStreams } from '../../src/adapters/net.ts';
import { needs } from '../requirements.ts';
import { realWorld } from './real-world.ts';
import { streamsContract } from './streams.ts';

const reason = needs('linux');
if (reason !== false) test('streams over node:net', { skip: reason }, () => {});
else {
  streamsContract('net', () => {
    const streams = netStreams();
    return realWorld(streams, streams);
  });
}
