// Which of many steps are shown first: those whose error is largest, in the order in which they ran.

export const FEW_STEPS = 8;

/** Positions of the `most` entries that are furthest from 0, in their own order; of equals the first. */
export function furthestOff(errors: readonly (number | null)[], most = FEW_STEPS): number[] {
  return errors
    .map((error, at) => ({ at, size: Math.abs(error ?? 0) }))
    .sort((a, b) => b.size - a.size || a.at - b.at)
    .slice(0, most)
    .map(({ at }) => at)
    .sort((a, b) => a - b);
}
