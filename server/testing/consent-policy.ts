/** A policy with every kind of purpose that consent can meet. */
export const consentPolicy = (service: string) => `troth: 1
service: ${service}
title: Consent sample
version: 1.0.0
effective: 2026-01-01
languages: [en, de]
controller:
  name: Sample
  contacts: { privacy: { email: privacy@sample.example } }
regions:
  EU: { title: European Union, consent-required: true }
purposes:
  delivery:
    { use: essential.service, basis: contract, required: true, aliases: [essentialAnalytics] }
  monitoring:
    use: analytics.reporting
    basis: legitimate-interests
    optional: true
    default: on
    aliases: [performanceMonitoring]
  journeys:
    use: analytics.reporting
    basis: legitimate-interests
    optional: true
    default: on
    parent: monitoring
  insights:
    use: analytics.reporting
    basis: consent
    optional: true
    default: off
    aliases: [enhancedInsights]
  research:
    use: functional.service.improve
    basis: consent
    optional: true
    default: off
    aliases: [userResearch, productResearch]
data:
  usage:
    title: Usage
    from: events
    event-names: ["*"]
    categories: [user.behavior]
    purposes: [delivery, insights]
    retain: P90D
    key: subject
    fields: { tool: string(64) }
recipients:
  partner: { title: Partner Ltd, role: recipient, purpose: insights, country: DE }
rights:
  withdraw-consent: { methods: [api, dashboard] }
consent:
  notice: { version: "3", languages: [en, de] }
  signals:
    gpc: { withdraws: [insights, research, monitoring] }
    dnt: { withdraws: [research] }
  precedence: [gpc, consent, dnt]
promises: []
`;
