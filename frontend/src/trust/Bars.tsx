// Bars of shares, drawn as SVG: sizes are attributes, which the content security policy allows.

import { formatPercent } from '../ui/format';

const HEIGHT = 10;

/** One thin bar; `share` 0 .. 1. */
export function Bar({ share }: { share: number }) {
  return (
    <svg class="share-bar" viewBox={`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <rect class="bar-rest" width="100" height={HEIGHT} />
      <rect class="bar-value" width={100 * share} height={HEIGHT} />
    </svg>
  );
}

interface Part {
  name: string;
  percent: number;
}

/** Parts of a whole, one line each; the figures say what the bars show. */
export function Shares({ what, parts }: { what: string; parts: readonly Part[] }) {
  const most = Math.max(...parts.map(({ percent }) => percent), 1);
  return (
    <table class="figures shares">
      <caption class="sr-only">{what}</caption>
      <tbody>
        {parts.map(({ name, percent }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{formatPercent(percent).replace('+', '')}</td>
            <td>
              <Bar share={percent / most} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
