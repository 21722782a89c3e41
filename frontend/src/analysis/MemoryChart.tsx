// Allocated and reserved memory of one device over time, as steps; the peak is a way into the timeline.

import { formatBytes, formatDuration } from '../ui/format';
import type { MemoryDevice, Series } from './figures';

const WIDTH = 720;
const HEIGHT = 120;

interface Props {
  label: string;
  device: MemoryDevice;
  timeline: string;
}

export function MemoryChart({ label, device, timeline }: Props) {
  const { allocated, reserved } = device;
  const begin = Math.min(allocated.at_ns[0], reserved.at_ns[0]);
  const end = Math.max(allocated.at_ns.at(-1) ?? begin, reserved.at_ns.at(-1) ?? begin);
  const most = Math.max(device.peak_allocated_bytes, device.peak_reserved_bytes, 1);
  const draw = (series: Series) => path(series, begin, Math.max(end - begin, 1), most);
  return (
    <figure class="chart">
      <figcaption>
        {label}: peak{' '}
        <a href={`${timeline}?event=${device.trace}.${device.row}`}>
          {formatBytes(device.peak_allocated_bytes)}
        </a>
        {device.peak_reserved_bytes > 0 && `, reserved ${formatBytes(device.peak_reserved_bytes)}`}
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Memory of ${label}`}
      >
        {device.peak_reserved_bytes > 0 && <path class="line-reserved" d={draw(reserved)} />}
        <path class="line-allocated" d={draw(allocated)} />
      </svg>
      <div class="chart-axis muted">
        <span>0</span>
        <span>{formatDuration(end - begin)}</span>
      </div>
    </figure>
  );
}

function path({ at_ns, value }: Series, begin: number, span: number, most: number): string {
  const x = (at: number) => ((WIDTH * (at - begin)) / span).toFixed(1);
  const y = (bytes: number) => (HEIGHT - 1 - ((HEIGHT - 2) * bytes) / most).toFixed(1);
  const steps = at_ns.map((at, i) => `H${x(at)}V${y(value[i])}`).join('');
  return `M${x(at_ns[0])},${y(value[0])}${steps}H${WIDTH}`;
}
