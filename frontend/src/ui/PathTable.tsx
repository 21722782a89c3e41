// What a critical path is made of, the longest first.

import type { PathFigures } from '../transport/api';
import { formatDuration, formatShare } from './format';
import { visible } from './text';

const LEAST_PERCENT = 0.1;

export function PathTable({ path }: { path: PathFigures }) {
  const shown = path.causes.filter(({ percent }) => Math.abs(percent) >= LEAST_PERCENT);
  return (
    <table class="figures">
      <caption class="sr-only">The critical path by cause: time, and share of its length</caption>
      <tbody>
        {shown.map(({ cause, ns, percent }) => (
          <tr key={cause}>
            <th scope="row">{visible(cause.replaceAll('_', ' '), 40)}</th>
            <td>{formatDuration(ns)}</td>
            <td>{formatShare(percent)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
