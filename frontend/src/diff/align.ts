// How the second run lies on the first one's time axis.

import type { StepPair } from '../transport/api';

export type AxisMode = 'aligned' | 'absolute';

/** The steps that decide the alignment: those of the first trace that has any, in order. */
export function referenceSteps(steps: readonly StepPair[]): StepPair[] {
  const first = Math.min(...steps.map((step) => step.trace));
  return steps.filter((step) => step.trace === first).sort((x, y) => x.a[0] - y.a[0]);
}

/**
 * What to add to a time of A to get the time of B that is drawn at the same place: so much that the step of A
 * under `timeNs` and its pair start together. Before the first step, that one decides; without steps, `atStart`.
 */
export function offsetAt(reference: readonly StepPair[], timeNs: number, atStart: number): number {
  if (!reference.length) return atStart;
  const step = reference.findLast(({ a }) => a[0] <= timeNs) ?? reference[0];
  return step.b[0] - step.a[0];
}
