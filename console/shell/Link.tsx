import type { AnchorHTMLAttributes, MouseEvent } from 'react';
import { go } from '#console/shell/navigation.ts';
import { reveal } from '#console/shell/reveal.ts';

/** A link inside the console: a real address, followed without loading the page again. */
export function Link({
  href,
  ...rest
}: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button) return;
    event.preventDefault();
    go(href);
  };
  const current = rest['aria-current'] ? reveal : undefined;
  return <a href={href} onClick={follow} ref={current} {...rest} />;
}
