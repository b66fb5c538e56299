/**
 * Runs inside the sandbox of a release, where nothing but this program and helm exists: carries connections from 127.0.0.1:6443 of the sandbox's own
 * network to the one socket that leads to the cluster's API server, and starts helm with the given arguments. Ends as helm ends, with its exit code.
 * TLS is helm's and the API server's: what passes here is sealed.
 */
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';

const [socketPath = '', program = '', ...args] = process.argv.slice(2);

const server = createServer((inner) => {
  const outer = connect(socketPath);
  const end = (): void => {
    inner.destroy();
    outer.destroy();
  };
  // A broken connection is an error of helm's request, which helm reports.
  inner.on('error', end);
  outer.on('error', end);
  inner.pipe(outer);
  outer.pipe(inner);
});

server.listen(6443, '127.0.0.1', () => {
  // No /dev/null here: helm gets the input that this program got, which is empty.
  const child = spawn(program, args, { stdio: 'inherit' });
  child.once('error', (error) => {
    process.stderr.write(`Error: helm did not start: ${error.message}\n`);
    process.exit(127);
  });
  child.once('exit', (code) => process.exit(code ?? 1));
});
