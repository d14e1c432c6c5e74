/** A kind of event that the service sends, and how long it is kept. */
export type Kept = {
  /** `page-views`. */
  readonly id: string;
  /** `Page views`. */
  readonly title: string;
  /** Names under which events are sent: `page_view`, or `type:page` for the call `page()`. */
  readonly events: readonly string[];
  /** Declared fields in the language's short form: `{ path: url-path, seconds: integer }`. */
  readonly fields: Readonly<Record<string, string>>;
  /** Days. */
  readonly days: number;
  /** Only after the person agreed. */
  readonly optional: boolean;
};

export type FirstPolicy = {
  /** Names the service in addresses: lower-case letters, digits, hyphens. */
  readonly service: string;
  /** Who answers for it. */
  readonly name: string;
  readonly email: string;
  /** ISO 8601 day from which it holds. */
  readonly effective: string;
  readonly minimumAge: number;
  readonly kept: readonly Kept[];
};
