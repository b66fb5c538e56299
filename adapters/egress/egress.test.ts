import { connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { createAddressJudge, parseCidr } from './addresses.ts';
import { createEgress, type ResolveAll } from './egress.ts';

const never = new AbortController().signal;

const PRIVATE = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.255',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.168.0.1',
  '192.88.99.1',
  '198.18.0.1',
  '198.19.255.255',
  '203.0.113.9',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '::ffff:169.254.169.254',
  '::ffff:0:0',
  '64:ff9b::7f00:1',
  '64:ff9b::10.0.0.1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::1',
  '::127.0.0.1',
  '::7f00:1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '2001:db8::1',
  '2001::1',
  '2002:7f00:1::',
  '2002:a00:1::1',
  '3fff::1',
  '100::1',
  '5f00::1',
  'localhost',
  '',
  '1.2.3',
  '0x7f.0.0.1',
];
const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700::1111',
  '2a00:1450::1',
  '::ffff:8.8.8.8',
  '64:ff9b::808:808',
];

test.each(PRIVATE)('%s is not reached', (address) => {
  expect(createAddressJudge([])(address)).toBe(false);
});

test.each(PUBLIC)('%s is reached', (address) => {
  expect(createAddressJudge([])(address)).toBe(true);
});

test('a listed range is reached, and nothing beside it', () => {
  const judge = createAddressJudge(['10.1.0.0/16', 'fd00::/8']);
  expect(['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::a01:203', 'fd12::1'].map(judge)).toEqual([true, true, true, true]);
  expect(['10.2.0.1', '127.0.0.1', 'fc00::1', '::ffff:10.2.0.1'].map(judge)).toEqual([false, false, false, false]);
});

test.each(['10.0.0.0', '10.0.0.0/33', 'x/8', '::/129', '', '10.0.0.0/8/8', '10.0.0/8'])('"%s" is no range', (text) => {
  expect(parseCidr(text)).toBeNull();
  expect(() => createAddressJudge([text])).toThrow('not an address range');
});

test.each([
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '0x7f.1',
  '127.0.0.1.',
  '[::1]',
  '::1',
  '[::ffff:127.0.0.1]',
  '[0:0:0:0:0:ffff:7f00:1]',
  '①②⑦.0.0.1',
  '169.254.169.254',
  '[fd00:ec2::254]',
  '0',
  '0.0.0.0',
])('host spelled %s is refused', async (host) => {
  await expect(createEgress({ allowCidrs: [] }).check(host, never)).rejects.toMatchObject({ code: 'egressDenied' });
});

test.each(['a b', 'a/b', 'a@b', 'a:80', '', 'a?b', 'a#b', '%31.1.1.1x/', 'a\nb\\c'])(
  'host "%s" cannot be checked and is refused',
  async (host) => {
    await expect(createEgress({ allowCidrs: [], resolveAll: refuseAll }).check(host, never)).rejects.toMatchObject({
      code: expect.stringMatching(/egressDenied|gitFailed/),
    });
  },
);

const refuseAll: ResolveAll = async () => [];

test('an answer with one private address is refused whole', async () => {
  const mixed: ResolveAll = async () => [
    { address: '8.8.8.8', family: 4 },
    { address: '10.0.0.1', family: 4 },
  ];
  await expect(createEgress({ allowCidrs: [], resolveAll: mixed }).check('mixed.example', never)).rejects.toMatchObject({
    code: 'egressDenied',
  });
});

test('a name is resolved once per check, and the checked addresses are the answer', async () => {
  let asked = 0;
  const changing: ResolveAll = async () => [{ address: asked++ === 0 ? '8.8.8.8' : '127.0.0.1', family: 4 }];
  const egress = createEgress({ allowCidrs: [], resolveAll: changing });
  expect(await egress.check('rebind.example', never)).toEqual(['8.8.8.8']);
  expect(asked).toBe(1);
  await expect(egress.check('rebind.example', never)).rejects.toMatchObject({ code: 'egressDenied' });
});

test('a socket opened with egressLookup reaches an allowed address and never a private one', async () => {
  let hits = 0;
  const server = createServer((socket) => {
    hits += 1;
    socket.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const { port } = address;
  try {
    expect(await outcomeOf(port, [])).toMatch('private or reserved address');
    expect(hits).toBe(0);
    expect(await outcomeOf(port, ['127.0.0.0/8'])).toBe('connected');
    expect(hits).toBe(1);
  } finally {
    server.close();
  }
});

test('a name that does not resolve is said in the words of whoever asks', async () => {
  const egress = createEgress({ allowCidrs: [], resolveAll: async () => [] });
  await expect(egress.check('gone.example', never)).rejects.toMatchObject({
    code: 'gitFailed',
    message: 'the host gone.example has no address',
  });
  await expect(egress.resolve('gone.example', never)).rejects.toMatchObject({ code: 'ENOTFOUND' });
});

function outcomeOf(port: number, allowCidrs: readonly string[]): Promise<string> {
  const { egressLookup } = createEgress({ allowCidrs, resolveAll: async () => [{ address: '127.0.0.1', family: 4 }] });
  return new Promise((resolve) => {
    const socket = connect({ host: 'inside.example', port, lookup: egressLookup });
    socket.on('connect', () => resolve('connected')).on('error', (error) => resolve(error.message));
    socket.on('close', () => socket.destroy());
  });
}
