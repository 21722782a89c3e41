// What one must know before one trusts any figure of a run, in one line. The panel behind it has the rest.

import type { Placed, QualityCount } from '../transport/api';
import { headline } from '../ui/QualityPanel';

/** Findings after which figures are of a part of the run, or what is shown is not what was recorded. */
const SERIOUS = [
  'truncated',
  'damaged_packing',
  'damaged_entries',
  'unknown_durations',
  'unplaced_events',
  'secrets_masked',
];

export function warnings(quality: readonly QualityCount[], placed: Placed): string[] {
  const found = SERIOUS.flatMap((code) => quality.filter((finding) => finding.code === code)).map(headline);
  const isPlaced = placed === 'replay';
  return isPlaced ? ['Times were placed by replay: the file has none', ...found] : found;
}

interface RunBannerProps {
  quality: readonly QualityCount[];
  placed: Placed;
  onOpen: () => void;
}

export function RunBanner({ quality, placed, onOpen }: RunBannerProps) {
  const lines = warnings(quality, placed);
  if (lines.length === 0) return null;
  return (
    <button type="button" class="run-banner" onClick={onOpen}>
      <span class="cut">{lines.join(' · ')}</span>
      <span class="run-banner-more">What this means</span>
    </button>
  );
}
