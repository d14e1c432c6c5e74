import { broken, defineProof, gap, kept, saw, terms } from '#core/promises';
import { eventsOf, idOf, leave, pageOf, settle } from './sdk-page.ts';

/** All that a library may reach for that tells three words, two signals and one id. */
const ALLOWED = new Set([
  ...['currentScript', 'visibilityState', 'addEventListener', 'removeEventListener'].map(
    (name) => `document.${name}`,
  ),
  ...['userAgent', 'userAgentData', 'doNotTrack', 'globalPrivacyControl', 'sendBeacon'].map(
    (name) => `navigator.${name}`,
  ),
  ...['getItem', 'setItem', 'removeItem'].map((name) => `localStorage.${name}`),
]);

/** Every call that the library has. */
const EVERYTHING = (name: string) => `
  ${name}.track('page_view', { page: '/canary' });
  ${name}.page('canary');
  ${name}.identify('canary', { plan: 'pro' });
  ${name}.group('canaries');
  ${name}.setPrivacyPreferences({ errorTracking: true });
  ${name}.updateConsent('userResearch', true);
  ${name}.getConsentStatus();
  ${name}.withdrawConsent();
  ${name}.reset();
  ${name}.track('page_view', { page: '/canary' });`;

export const sdkNoFingerprint = defineProof({
  control: 'sdk.no-fingerprint',
  strength: 'protocol',
  blindTo: 'Objects of a browser that the watched page does not know by name.',
  async prove(look) {
    const first = await pageOf(look);
    first.run(EVERYTHING(first.name));
    await settle(first);
    const one = idOf(first);
    const isEmpty = await leave(look, first);
    const second = await pageOf(look);
    second.run(`${second.name}.track('page_view', { page: '/canary' })`);
    await leave(look, second);
    if (eventsOf(first).length === 0) {
      const nothing = saw`the library sent nothing`;
      return isEmpty ? broken(nothing) : gap(nothing);
    }
    const touched = new Set([...first.touched, ...second.touched]);
    const more = [...touched].filter((name) => !ALLOWED.has(name));
    if (more.length > 0) return broken(saw`the library reached for ${terms(more)}`);
    if (idOf(second) === one) return broken(saw`the same machine was given the same id`);
    return kept(
      saw`${touched.size} things were reached for in a run of every call, all of them plain; the same
 machine without its storage is somebody new`,
    );
  },
});
