/** Statistics about people that speak of no one, and models that never see the data. */
import { z } from 'zod';
import { defineControls } from '#language/control-type';
import { Name, Nothing, purpose, Settings } from './parameters.ts';

export const insightsControls = defineControls({
  'insights.group-minimum': {
    area: 'insights',
    title: 'A figure that speaks for too few people is withheld.',
    with: Settings,
    probe: 'api',
  },
  'insights.top-list': {
    area: 'insights',
    title: 'Lists of favourites are short and name only what many people share.',
    with: Settings,
    probe: 'api',
  },
  'insights.noise': {
    area: 'insights',
    title: 'Published figures carry calibrated noise, and questions end when the budget is spent.',
    with: z.strictObject({ statistic: z.enum(['count', 'average', 'cohort-size']) }),
    probe: 'api',
  },
  'insights.cohorts': {
    area: 'insights',
    title: 'Groups by month of sign-up can be compared, with the right result before noise.',
    with: Nothing,
    probe: 'api',
  },
  'insights.safe-layer': {
    area: 'insights',
    title: 'Analysts reach totals only; single records are refused.',
    with: Nothing,
    probe: 'api',
  },
  'insights.anonymiser': {
    area: 'insights',
    title: 'An anonymised record holds the published fields only, each made harmless.',
    with: z.strictObject({ field: Name.optional() }),
    probe: 'stored-bytes',
  },
  'insights.usage-shown': {
    area: 'insights',
    title: 'A workspace sees its own usage, up to date.',
    with: z.strictObject({ purpose }),
    probe: 'api',
  },
});

export const federatedControls = defineControls({
  'federated.local-training': {
    area: 'federated',
    title: 'Models learn on the customer’s side; the raw data stays there.',
    with: Nothing,
    probe: 'protocol',
  },
  'federated.model-type': {
    area: 'federated',
    title: 'A federated model can be created and says what it is.',
    with: Settings,
    probe: 'api',
  },
  'federated.masked-updates': {
    area: 'federated',
    title: 'No single contribution can be seen; only the sum of many opens.',
    with: z.strictObject({ proves: z.enum(['masked', 'secure-sum']) }),
    probe: 'protocol',
  },
  'federated.private-updates': {
    area: 'federated',
    title: 'Contributions are bounded and noised, and the loss of privacy is accounted.',
    with: Nothing,
    probe: 'api',
  },
});
