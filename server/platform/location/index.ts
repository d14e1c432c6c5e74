/**
 * From an address to a country, in memory, without a network.
 *
 * The bundled database (CC0) knows countries only; a MaxMind file knows regions and cities too.
 * What goes in is an address; nothing of it is kept, logged or cached here.
 */
export { type Location, NOWHERE, openLocation, type Place } from './open.ts';
