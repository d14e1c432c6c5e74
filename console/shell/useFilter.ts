import { useDeferredValue } from 'react';
import { useQuery } from '#console/shell/navigation.ts';

/** The filter of a list lives in the URL: `?q=` for words, `?state=` for one of its kinds. */
export function useFilter() {
  const [query, change] = useQuery();
  const typed = query.get('q') ?? '';
  const words = useDeferredValue(typed).toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (text: string) => {
    const low = text.toLowerCase();
    return words.every((word) => low.includes(word));
  };
  return { query, change, typed, fits, kind: query.get('state') };
}
