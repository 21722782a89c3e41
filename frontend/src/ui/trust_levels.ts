// How far a run's replay can be trusted, in a word and a colour; simulation/trust/verdict.py decides which.

import type { TrustLevel } from '../transport/api';

/** The badge's class. */
export const TRUST_MARKS: Record<TrustLevel, string> = {
  good: 'good',
  limited: 'warning',
  untested: 'warning',
  none: 'plain',
};

export const TRUST_WORDS: Record<TrustLevel, string> = {
  good: 'trusted',
  limited: 'within limits',
  untested: 'not tested by this run',
  none: 'no times',
};
