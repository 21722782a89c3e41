// The tables of the page: from which section each comes, which columns it has, and what it says when it is empty.

import { formatBytes, formatCount, formatDuration, formatShare } from '../ui/format';
import { type Line, perRank } from './figures';

export interface Column {
  readonly key: string;
  readonly label: string;
  /** Words align to the left, are what the filter looks at, and may be long. */
  readonly words?: boolean;
  readonly show: (value: unknown, line: Line) => string;
  /** What the heading means, where it is not plain. */
  readonly title?: string;
}

export interface TableKind {
  readonly id: string;
  readonly label: string;
  readonly section: string;
  readonly lines: (section: unknown) => Line[];
  readonly columns: readonly Column[];
  readonly sort: string;
  readonly empty: string;
}

const isKnown = (value: unknown): value is number => typeof value === 'number';
const orDash = (show: (value: number) => string) => (value: unknown) => (isKnown(value) ? show(value) : '–');
const rounded = (value: number) =>
  value === 0
    ? '0'
    : Math.abs(value) >= 1000
      ? formatCount(Math.round(value))
      : String(Number(value.toPrecision(3)));

const words = (key: string, label: string): Column => ({
  key,
  label,
  words: true,
  show: (value) => (value === null || value === undefined ? '–' : String(value)),
});
const time = (key: string, label: string, title?: string): Column => ({
  key,
  label,
  title,
  show: orDash((ns) => formatDuration(Math.round(ns))),
});
const count = (key: string, label: string, title?: string): Column => ({
  key,
  label,
  title,
  show: orDash(formatCount),
});
const figure = (key: string, label: string, title?: string): Column => ({
  key,
  label,
  title,
  show: orDash(rounded),
});
const bytes = (key: string, label: string): Column => ({ key, label, show: orDash(formatBytes) });
const share = (key: string, label: string, title?: string): Column => ({
  key,
  label,
  title,
  show: orDash(formatShare),
});

const RANK: Column = { key: 'rank', label: 'rank', show: (rank) => (rank === null ? '?' : String(rank)) };
const NAME = words('name', 'name');
const SPREAD = [
  count('count', 'count'),
  time('total_ns', 'total'),
  share('percent', 'share', 'of all device time'),
  time('mean_ns', 'mean'),
  time('min_ns', 'least'),
  time('max_ns', 'most'),
];

const joined = (names: unknown) => (names as string[]).map((name) => name.slice(0, 60)).join(' · ');
const CAUSES: Record<string, string> = {
  host_wait: 'the host was late',
  kernel_wait: 'between queued kernels',
  other: 'other',
};
const within = (key: string) => (section: unknown) => (section as Record<string, Line[]>)[key];
const inRanks = (key: string) => (section: unknown) => perRank(section, key);

export const TABLES: readonly TableKind[] = [
  {
    id: 'kernels',
    label: 'Kernels',
    section: 'kernels',
    lines: within('kernels'),
    columns: [NAME, words('work', 'work'), ...SPREAD],
    sort: 'total_ns',
    empty: 'Nothing ran on a device.',
  },
  {
    id: 'ops',
    label: 'Operators',
    section: 'ops',
    lines: within('ops'),
    columns: [
      NAME,
      count('count', 'calls'),
      time('direct_ns', 'device', 'busy with what the operator launched itself'),
      share('percent', 'share'),
      time('subtree_ns', 'device, with inner', 'and with what the operators in it launched'),
      time('host_ns', 'host'),
      time('host_self_ns', 'host, self', 'without the operators in it'),
    ],
    sort: 'direct_ns',
    empty: 'No operators were recorded.',
  },
  {
    id: 'kernels_by_op',
    label: 'Kernels by operator',
    section: 'kernels_by_op',
    lines: within('kernels'),
    columns: [words('op', 'operator'), NAME, count('stream', 'stream'), ...SPREAD],
    sort: 'total_ns',
    empty: 'Nothing ran on a device.',
  },
  {
    id: 'collectives',
    label: 'Collectives',
    section: 'collectives',
    lines: within('collectives'),
    columns: [
      words('group', 'group'),
      words('kind', 'kind'),
      bytes('size_bytes', 'size'),
      count('ranks_seen', 'ranks'),
      count('count', 'count'),
      time('latency_ns', 'latency', 'mean of the shortest over the ranks'),
      figure('algorithm_gb_per_s', 'algorithm GB/s'),
      figure('bus_gb_per_s', 'bus GB/s'),
      time('total_ns', 'total', 'over all ranks'),
      time('wait_ns', 'of it waiting', 'for the last to come'),
    ],
    sort: 'total_ns',
    empty: 'No collectives were recorded.',
  },
  {
    id: 'stragglers',
    label: 'Who came late',
    section: 'collectives',
    lines: (section) => (section as { stragglers: { ranks: Line[] } }).stragglers.ranks,
    columns: [
      { ...RANK, label: 'rank' },
      count('meetings', 'meetings', 'with other ranks, all seen'),
      count('came_last', 'came last'),
      count('came_first', 'came first'),
      time('caused_wait_ns', 'others waited for it'),
      time('wait_ns', 'waited itself'),
      time('transfer_ns', 'transfer', 'without the waiting'),
    ],
    sort: 'caused_wait_ns',
    empty: 'No rank meets another in this run.',
  },
  {
    id: 'waits',
    label: 'Longest waits',
    section: 'collectives',
    lines: within('worst'),
    columns: [
      words('group', 'group'),
      words('kind', 'kind'),
      count('step', 'step'),
      count('last_rank', 'last to come'),
      time('wait_ns', 'waited, all ranks'),
      time('skew_start_ns', 'first to last arrival'),
      time('transfer_ns', 'transfer'),
      count('ranks_seen', 'ranks'),
    ],
    sort: 'wait_ns',
    empty: 'No rank waits for another, as far as this run shows.',
  },
  {
    id: 'launches',
    label: 'Launches',
    section: 'launches',
    lines: inRanks('calls'),
    columns: [
      RANK,
      NAME,
      count('count', 'count'),
      time('call_median_ns', 'call, median'),
      time('delay_median_ns', 'delay, median', 'from the end of the call to the start of the work'),
      time('delay_max_ns', 'delay, most'),
      time('tklqt_ns', 'TKLQT', 'total kernel launch and queueing time'),
      count('slow_calls', 'slow calls', 'over 50 us'),
      count('late', 'late', 'started over 100 us after the call'),
      count('shorter_than_call', 'shorter than call'),
    ],
    sort: 'tklqt_ns',
    empty: 'No launch is linked to what it launched.',
  },
  {
    id: 'roofline',
    label: 'Roofline',
    section: 'roofline',
    lines: (section) => perRank(section, 'ops').map((line) => ({ ...line, dims: JSON.stringify(line.dims) })),
    columns: [
      RANK,
      NAME,
      words('dims', 'shapes'),
      count('count', 'count'),
      time('busy_ns', 'device'),
      figure('tflops_per_s', 'TFLOP/s'),
      figure('gb_per_s', 'GB/s'),
      words('bound', 'bound by'),
      share('roofline_percent', 'of roofline'),
    ],
    sort: 'busy_ns',
    empty: 'No shapes were recorded (record_shapes=True), or no operator with a formula launched work.',
  },
  {
    id: 'ops_by_shape',
    label: 'Operators by shapes',
    section: 'ops_by_shape',
    lines: inRanks('ops'),
    columns: [RANK, NAME, words('dims', 'shapes'), ...SPREAD],
    sort: 'total_ns',
    empty: 'No operator launched device work.',
  },
  {
    id: 'sequences',
    label: 'Kernel sequences',
    section: 'sequences',
    lines: (section) =>
      (section as { outermost: Line[] }).outermost.map((line) => ({
        ...line,
        sequence: joined(line.sequence),
      })),
    columns: [
      NAME,
      count('count', 'calls'),
      count('kernels', 'kernels each'),
      time('device_ns', 'device'),
      time('host_ns', 'host'),
      time('launch_to_start_ns', 'launch to start', 'mean over its kernels'),
      words('sequence', 'kernels, in order'),
    ],
    sort: 'device_ns',
    empty: 'No operator launched three kernels or more.',
  },
  {
    id: 'op_categories',
    label: 'Categories of work',
    section: 'op_categories',
    lines: within('categories'),
    columns: [
      words('category', 'what operators do'),
      count('count', 'calls', 'that launch something'),
      time('direct_ns', 'device', 'busy with what they launched themselves'),
      share('percent', 'share', 'of the time of all operators'),
    ],
    sort: 'direct_ns',
    empty: 'No operator launched device work.',
  },
  {
    id: 'recompute',
    label: 'Done again',
    section: 'recompute',
    lines: inRanks('ops'),
    columns: [
      RANK,
      NAME,
      count('count', 'calls', 'in the backward pass, by activation checkpointing'),
      time('direct_ns', 'device', 'busy with what they launched themselves'),
      count('events', 'pieces of work'),
    ],
    sort: 'direct_ns',
    empty: 'No activation checkpoint was seen; Python stacks (with_stack) show them.',
  },
  {
    id: 'kernel_overlaps',
    label: 'Overlapping kernels',
    section: 'kernel_overlaps',
    lines: within('pairs'),
    columns: [
      NAME,
      words('other', 'at the same time'),
      count('count', 'count'),
      time('overlap_ns', 'overlap'),
    ],
    sort: 'overlap_ns',
    empty: 'No two kernels ran at the same time for 1 us or longer.',
  },
  {
    id: 'modules',
    label: 'Modules',
    section: 'modules',
    lines: inRanks('modules'),
    columns: [
      RANK,
      NAME,
      count('calls', 'calls'),
      time('direct_ns', 'device', 'in no inner module'),
      time('subtree_ns', 'device, with inner'),
      time('host_ns', 'host'),
    ],
    sort: 'subtree_ns',
    empty: 'No modules were recorded (with_stack=True, with_modules=True).',
  },
  {
    id: 'idle',
    label: 'Idle streams',
    section: 'idle',
    lines: inRanks('streams'),
    columns: [
      RANK,
      count('stream', 'stream'),
      time('idle_ns', 'idle'),
      count('gaps', 'gaps'),
      time('host_wait_ns', 'host late', 'the launch was called after the work before had ended'),
      time('kernel_wait_ns', 'between kernels', 'launched in time, started within 30 us'),
      time('other_ns', 'other'),
    ],
    sort: 'idle_ns',
    empty: 'Nothing ran on a device.',
  },
  {
    id: 'gaps',
    label: 'Longest gaps',
    section: 'idle',
    lines: inRanks('longest'),
    columns: [
      RANK,
      words('name', 'ended by'),
      time('dur_ns', 'idle'),
      { ...words('cause', 'cause'), show: (cause) => CAUSES[String(cause)] ?? '–' },
      time('begin_ns', 'since'),
    ],
    sort: 'dur_ns',
    empty: 'The device is never idle.',
  },
  {
    id: 'short_kernels',
    label: 'Short kernels',
    section: 'short_kernels',
    lines: within('kernels'),
    columns: [words('op', 'operator'), NAME, ...SPREAD],
    sort: 'total_ns',
    empty: 'No kernel is shorter than 10 us.',
  },
  {
    id: 'fusion',
    label: 'Fusion candidates',
    section: 'fusion',
    lines: (section) =>
      (section as { chains: Line[] }).chains.map((line) => ({ ...line, name: joined(line.kernels) })),
    columns: [
      words('name', 'kernels that always follow one another'),
      count('length', 'length'),
      count('count', 'count'),
      count('launches_saved', 'launches saved'),
      time('busy_ns', 'busy, first time'),
      time('gaps_ns', 'gaps, first time'),
    ],
    sort: 'launches_saved',
    empty: 'No chain of kernels is always the same.',
  },
  {
    id: 'copies',
    label: 'Copies',
    section: 'copies',
    lines: inRanks('kinds'),
    columns: [
      RANK,
      words('kind', 'kind'),
      count('count', 'count'),
      bytes('bytes', 'bytes'),
      time('total_ns', 'time'),
      figure('gb_per_s', 'GB/s'),
      figure('max_gb_per_s', 'fastest'),
    ],
    sort: 'total_ns',
    empty: 'Nothing was copied.',
  },
];

/** The lines whose words hold the text, in the order of a column. */
export function arranged(
  lines: readonly Line[],
  columns: readonly Column[],
  filter: string,
  sort: string,
  ascending: boolean,
): Line[] {
  const sought = filter.trim().toLowerCase();
  const looked = columns.filter((column) => column.words);
  const found = sought
    ? lines.filter((line) =>
        looked.some(({ key }) =>
          String(line[key] ?? '')
            .toLowerCase()
            .includes(sought),
        ),
      )
    : [...lines];
  const sign = ascending ? 1 : -1;
  return found.sort((a, b) => sign * compare(a[sort], b[sort]));
}

/** What is not known comes below everything. */
function compare(a: unknown, b: unknown): number {
  if (isKnown(a) && isKnown(b)) return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  return Number(a !== null && a !== undefined) - Number(b !== null && b !== undefined);
}
