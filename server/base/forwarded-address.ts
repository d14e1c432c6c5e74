/**
 * Whose request it is behind reverse proxies.
 *
 * What a header says of addresses anybody can write, so it is read only where the connection comes
 * from a proxy that the operator named, and only from the right: each proxy appends whom it was
 * asked by, and the first that is no proxy of ours is the person. Whatever stands left of it was
 * sent by them.
 */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

const HOPS_MAX = 32;
const RANGE = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i;
const MAPPED = /^::ffff:(?=\d+\.)/i;
/** An address as headers write it: bare, in brackets, with a port. */
const HOP = /^(?:\[([0-9a-f.:]+)\](?::\d+)?|(\d+(?:\.\d+){3})(?::\d+)?|([0-9a-f:.]+))$/i;
const FOR = /(?:^|;)\s*for=(?:"([^"]*)"|([^;\s]*))/i;

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/**
 * Reads `10.0.0.0/8, fd00::/8, 192.0.2.7`.
 *
 * @throws RangeError for what is no address or range.
 */
export function readProxies(text: string): BlockList {
  const proxies = new BlockList();
  for (const one of text.split(',').map((part) => part.trim())) {
    const [, address = '', bits] = RANGE.exec(one) ?? [];
    const most = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
    if (most === 0 || Number(bits ?? most) > most) throw new RangeError('no address or range');
    proxies.addSubnet(address, Number(bits ?? most), familyOf(address));
  }
  return proxies;
}

function addressIn(hop: string): string | undefined {
  const [, inBrackets, four, six] = HOP.exec(hop.trim()) ?? [];
  const address = (inBrackets ?? four ?? six)?.replace(MAPPED, '');
  return address !== undefined && isIP(address) !== 0 ? address : undefined;
}

/** Who asked, hop by hop, the nearest last; undefined for a hop that names no address. */
function hopsIn(header: string | string[] | undefined, name: 'forwarded' | 'x-forwarded-for') {
  if (header === undefined) return undefined;
  const parts = String(header).split(',').slice(-HOPS_MAX);
  if (name === 'x-forwarded-for') return parts.map(addressIn);
  return parts.map((part) => {
    const [, quoted, bare] = FOR.exec(part) ?? [];
    return addressIn(quoted ?? bare ?? '');
  });
}

/**
 * Makes what tells the person's address of a request.
 *
 * Where the two headers disagree, one of them went past the proxy untouched: then neither is
 * believed, and the proxy's own address counts.
 */
export function addressBehind(proxies: BlockList) {
  const isOurs = (address: string) => proxies.check(address, familyOf(address));

  function nearest(from: string, hops: readonly (string | undefined)[]): string {
    let address = from;
    for (const hop of hops.toReversed()) {
      if (hop === undefined) return address;
      address = hop;
      if (!isOurs(hop)) return address;
    }
    return address;
  }

  return ({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string | undefined => {
    const from = socket.remoteAddress?.replace(MAPPED, '');
    if (from === undefined || !isOurs(from)) return from;
    const said = (['forwarded', 'x-forwarded-for'] as const)
      .map((name) => hopsIn(headers[name], name))
      .filter((hops) => hops !== undefined)
      .map((hops) => nearest(from, hops));
    return new Set(said).size === 1 ? said[0] : from;
  };
}
