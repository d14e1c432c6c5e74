import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import { Reader, type Response } from 'mmdb-lib';

export type Place = {
  /** ISO 3166-1 alpha-2, or `''` where nothing is known. */
  readonly country: string;
  readonly region: string | undefined;
  readonly city: string | undefined;
};

export const NOWHERE: Place = Object.freeze({ country: '', region: undefined, city: undefined });

export type Location = {
  /** Where an address is; `NOWHERE` for a private, unknown or malformed one. Never throws. */
  locate(address: string): Place;
};

type Named = { readonly names?: Readonly<Record<string, string>> };
type Found = {
  readonly country_code?: string;
  readonly country?: Named & { readonly iso_code?: string };
  readonly subdivisions?: readonly Named[];
  readonly city?: Named;
};

const nameOf = (named: Named | undefined) => named?.names?.['en'];

/** One object per country: most look-ups then allocate nothing. */
const countries = new Map<string, Place>();

function placeOf(found: Found | null): Place {
  if (found === null) return NOWHERE;
  const country = found.country_code ?? found.country?.iso_code ?? '';
  if (!/^[A-Z]{2}$/.test(country)) return NOWHERE;
  const region = nameOf(found.subdivisions?.[0]);
  const city = nameOf(found.city);
  if (region !== undefined || city !== undefined) return { country, region, city };
  let place = countries.get(country);
  if (place === undefined) {
    place = Object.freeze({ country, region: undefined, city: undefined });
    countries.set(country, place);
  }
  return place;
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * Opens the bundled country database, or the MaxMind (MMDB) file named.
 *
 * @throws Error when the file is missing or is no MMDB file.
 */
export async function openLocation({
  file,
}: {
  readonly file?: string | undefined;
} = {}): Promise<Location> {
  const require = createRequire(import.meta.url);
  const bundled = '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb';
  const reader = new Reader<Response>(await readFile(file ?? require.resolve(bundled)));
  return {
    locate(address) {
      const plain = MAPPED.exec(address)?.[1] ?? address;
      if (isIP(plain) === 0) return NOWHERE;
      return placeOf(reader.get(plain) as Found | null);
    },
  };
}
