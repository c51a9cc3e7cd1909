/** A web server that takes a moment for each answer, so that its death finds requests at every stage: `node web-process.ts PORT`. */
import { createServer } from 'node:http';

const answerMs = 4;

createServer((_request, response) => {
  setTimeout(() => response.end('hello\n'), answerMs);
}).listen(Number(process.argv[2]), '127.0.0.1', 1024, () => process.stdout.write('listening\n'));
