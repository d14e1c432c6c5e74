/** Accounts, passwords, sessions and the ways of proving who is calling. */
import { z } from 'zod';
import { defineControls } from '#language/control-type';
import { data, Names, Nothing, Settings, setting } from './parameters.ts';

export const identityControls = defineControls({
  'identity.password-hash': {
    area: 'identity',
    title: 'Passwords exist only as slow hashes of the published strength.',
    with: Settings,
    probe: 'stored-bytes',
  },
  'identity.weak-password-refused': {
    area: 'identity',
    title: 'Weak and leaked passwords are refused.',
    with: Nothing,
    probe: 'protocol',
  },
  'identity.second-factor': {
    area: 'identity',
    title: 'A second factor can be set up, and is demanded where the policy demands it.',
    with: Settings,
    probe: 'protocol',
  },
  'identity.session-ends': {
    area: 'identity',
    title: 'A session or token stops working after the published time.',
    with: Settings,
    probe: 'protocol',
  },
  'identity.logout': {
    area: 'identity',
    title: 'Signing out ends the session on the server, here or everywhere.',
    with: Nothing,
    probe: 'protocol',
  },
  'identity.login-throttled': {
    area: 'identity',
    title: 'Repeated failed sign-ins are slowed, blocked and reported.',
    with: Settings,
    probe: 'protocol',
  },
  'identity.invitation-only': {
    area: 'identity',
    title: 'An account can be opened only with an unused invitation.',
    with: Nothing,
    probe: 'protocol',
  },
  'identity.suspension': {
    area: 'identity',
    title: 'A suspended account stops working at once, and who did it and why is recorded.',
    with: Nothing,
    probe: 'api',
  },
  'identity.age-gate': {
    area: 'identity',
    title: 'People below the age for their region cannot sign up, and nothing of them is kept.',
    with: z.strictObject({ setting }),
    probe: 'stored-bytes',
  },
  'identity.email-optional': {
    area: 'identity',
    title: 'An account works without an e-mail address.',
    with: z.strictObject({ data }),
    probe: 'api',
  },
  'identity.misuse-report': {
    area: 'identity',
    title: 'One step reports misuse and locks the account.',
    with: Nothing,
    probe: 'protocol',
  },
  'identity.concurrent-use': {
    area: 'identity',
    title: 'Signs that an account is shared raise an event.',
    with: Nothing,
    probe: 'api',
  },
  'identity.account-editable': {
    area: 'identity',
    title: 'People can open, edit and close their account.',
    with: z.strictObject({ fields: Names.optional() }),
    probe: 'api',
  },
  'identity.oauth': {
    area: 'identity',
    title: 'Other programs connect by OAuth with proof of possession of the code.',
    with: Nothing,
    probe: 'protocol',
  },
  'identity.request-signatures': {
    area: 'identity',
    title: 'Requests and webhooks carry a signature; altered, old and repeated ones are refused.',
    with: Settings,
    probe: 'protocol',
  },
  'identity.environment-bound': {
    area: 'identity',
    title: 'Keys and tokens of one environment are refused in every other.',
    with: Nothing,
    probe: 'protocol',
  },
});
