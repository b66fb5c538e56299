import { BlockList, isIP } from 'node:net';

/**
 * Which addresses the outside may be reached at. Everything that is not plainly public is refused unless the operator lists its range
 * (threats G1, G2; IANA special-purpose registries, RFC 6890).
 */
export type Cidr = Readonly<{ network: string; prefix: number; family: 'ipv4' | 'ipv6' }>;

const SPECIAL: readonly string[] = Object.freeze([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]);
/** Of IPv6 only global unicast is public, without the ranges that stand for something else. */
const GLOBAL_UNICAST = '2000::/3';
const SPECIAL_IPV6: readonly string[] = Object.freeze(['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20']);
/** IPv4 inside IPv6: judged as the IPv4 address. */
const MAPPED: readonly string[] = Object.freeze(['::ffff:0:0/96', '64:ff9b::/96']);

/** A range such as `10.0.0.0/8`, or null when it is none. */
export function parseCidr(text: string): Cidr | null {
  const found = /^([0-9a-fA-F.:]+)\/([0-9]{1,3})$/.exec(text);
  const network = found?.[1] ?? '';
  const version = isIP(network);
  const prefix = Number(found?.[2] ?? Number.NaN);
  if (version === 0 || prefix > (version === 4 ? 32 : 128)) return null;
  return Object.freeze({ network, prefix, family: version === 4 ? 'ipv4' : 'ipv6' });
}

export type AddressJudge = (address: string) => boolean;

/** Whether an address (as the platform writes it: dotted or IPv6) may be connected to. Throws on a range that is none. */
export function createAddressJudge(allowCidrs: readonly string[]): AddressJudge {
  const allowed = listOf(allowCidrs);
  const special = listOf(SPECIAL);
  const specialIpv6 = listOf(SPECIAL_IPV6);
  const global = listOf([GLOBAL_UNICAST]);
  const mapped = listOf(MAPPED);
  function judge(address: string): boolean {
    const version = isIP(address);
    if (version === 0 || address.includes('%')) return false;
    if (version === 4) return allowed.check(address, 'ipv4') || !special.check(address, 'ipv4');
    const inner = mapped.check(address, 'ipv6') ? lastFour(address) : null;
    if (inner !== null) return judge(inner);
    if (allowed.check(address, 'ipv6')) return true;
    return global.check(address, 'ipv6') && !specialIpv6.check(address, 'ipv6');
  }
  return judge;
}

/** The dotted form of the last 32 bits of an IPv6 address. */
function lastFour(address: string): string {
  const dotted = /(?:^|:)(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (dotted !== undefined) return dotted;
  const host = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const groups = host.split(':');
  const tail = host.endsWith('::')
    ? ['0', '0']
    : host.includes('::') && (groups.at(-2) ?? '') === ''
      ? ['0', groups.at(-1) ?? '0']
      : groups.slice(-2);
  const [high, low] = tail.map((group) => Number.parseInt(group === '' ? '0' : group, 16));
  return [(high ?? 0) >> 8, (high ?? 0) & 255, (low ?? 0) >> 8, (low ?? 0) & 255].join('.');
}

function listOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of cidrs) {
    const cidr = parseCidr(text);
    if (cidr === null) throw new Error(`not an address range: ${text.slice(0, 64)}`);
    list.addSubnet(cidr.network, cidr.prefix, cidr.family);
  }
  return list;
}
