/**
 * Helm's post-renderer, inside the sandbox of a release: carries helm's list to the worker and the worker's answer back. It decides nothing. An answer begins with
 * its length in bytes and a line break; one that is not whole was refused or cut: then this program fails, and helm applies nothing.
 */
import { connect } from 'node:net';

function carry(): void {
  const chunks: Buffer[] = [];
  const socket = connect({ path: '/in/post.sock', allowHalfOpen: true });
  process.stdin.pipe(socket);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // What went wrong on the way shows as an answer that is not whole.
  socket.on('error', () => socket.destroy());
  socket.once('close', () => {
    const answer = Buffer.concat(chunks);
    const line = answer.indexOf(10);
    const body = answer.subarray(line + 1);
    if (line > 0 && answer.subarray(0, line).toString('latin1') === String(body.length)) process.stdout.write(body);
    else {
      process.stderr.write('the list of objects was refused\n');
      process.exitCode = 1;
    }
  });
}

carry();
