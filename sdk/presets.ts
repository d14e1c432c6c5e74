/**
 * How the events of the printed samples are bound to purposes, as the policies of these services
 * say it. A page that sends other events, or serves another tenant, hands in its own.
 */
import type { ClientOptions } from './model.ts';

type Preset = Pick<ClientOptions, 'essential' | 'purposes'>;

export const loopkit: Preset = {
  essential: ['*', 'type:page', 'type:screen'],
  purposes: {
    performance: 'performance-monitoring',
    performance_metric: 'performance-monitoring',
    error: 'error-tracking',
    insight_viewed: 'enhanced-insights',
    recommendation_shown: 'enhanced-insights',
    recommendation_used: 'enhanced-insights',
    research: 'user-research',
    survey_answered: 'user-research',
    'type:identify': 'identified-analytics',
  },
};

export const magenta: Preset = {
  purposes: {
    '*': 'web-analytics',
    'type:page': 'web-analytics',
    'type:screen': 'web-analytics',
    page_load: 'performance',
    performance_metric: 'performance',
    api_response: 'performance',
    error: 'debugging',
    error_log: 'debugging',
  },
};
