/** A small policy that has one of everything a test of the ground needs. */
export const samplePolicy = (service: string, { retain = 'P90D', more = '' } = {}) => `troth: 1
service: ${service}
title: Sample
version: 1.0.0
effective: 2026-01-01
languages: [en]
controller:
  name: Sample
  contacts: { privacy: { email: privacy@sample.example } }
purposes:
  service-delivery: { use: essential.service, basis: contract }
  statistics: { use: analytics.reporting, basis: consent, default: off }
data:
  usage:
    title: Usage
    from: events
    event-names: ["*"]
    categories: [user.behavior]
    purposes: [service-delivery, statistics]
    retain: ${retain}
    key: subject
    fields:
      tool: string(64)
      plan: { enum: [free, paid] }
      duration_ms: integer
      amount: number
      ok: boolean
      note: { type: string(200), seal: subject }
  page-views:
    title: Page views
    from: events
    event-names: ["type:page"]
    categories: [user.behavior.browsing_history]
    purposes: [statistics]
    consent-purpose: statistics
    retain: P30D
    key: period
    fields:
      path: url-path
${more}promises: []
`;
