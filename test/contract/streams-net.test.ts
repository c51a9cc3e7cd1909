import { netStreams } from '../../src/adapters/net.ts';
import { needs } from '../requirements.ts';
import { realWorld } from './real-world.ts';
import { streamsContract } from './streams.ts';

if (needs('linux') === false) {
  streamsContract('net', () => {
    const streams = netStreams();
    return realWorld(streams, streams);
  });
}
