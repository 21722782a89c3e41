// The end of a long list: how much of it is shown, and the way to more. A page never draws all of a long table at once.

import { formatCount } from './format';

export const FIRST = 50;
export const AT_ONCE = 500;

interface MoreProps {
  /** How many of `total` are shown. */
  shown: number;
  total: number;
  onMore: (shown: number) => void;
}

export function More({ shown, total, onMore }: MoreProps) {
  if (shown >= total) return null;
  const next = Math.min(AT_ONCE, total - shown);
  return (
    <p class="more">
      <button type="button" class="button compact" onClick={() => onMore(shown + next)}>
        Show {formatCount(next)} more
      </button>
      <span class="muted">
        {formatCount(shown)} of {formatCount(total)} shown
      </span>
    </p>
  );
}
