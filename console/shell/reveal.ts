/** As a ref: what a URL opened, or what is current, must be in sight on a small screen too. */
export const reveal = (element: HTMLElement | null): void =>
  element?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
