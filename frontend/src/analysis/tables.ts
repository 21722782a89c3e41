// The tables of the page: from which section each comes, which columns it has, and what it says when it is empty.

import { formatBytes, formatCount, formatDuration, formatShare } from '../ui/format';
import { type Line, perRank } from './figures';

export interface Column {
  readonly key: string;
  readonly label: string;
  /** Words align to the left, are what the filter looks at, and may be long. */
  readonly words?: boolean;
  readonly show: (value: unknown, line: Line) => string;
  /** A number that names something (a rank, a stream): 0 is one of them, not nothing. */
  readonly isLabel?: boolean;
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

const words = (key: string, label: string, title?: string): Column => ({
  key,
  label,
  title,
  words: true,
  show: (value) => (value === null || value === undefined ? '–' : String(value)),
});
const number = (key: string, label: string, title?: string): Column => ({
  key,
  label,
  title,
  isLabel: true,
  show: orDash(String),
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
const bytes = (key: string, label: string, title?: string): Column => ({
  key,
  label,
  title,
  show: orDash(formatBytes),
});
const share = (key: string, label: string, title?: string): Column => ({
  key,
  label,
  title,
  show: orDash(formatShare),
});

const RANK: Column = {
  key: 'rank',
  label: 'rank',
  isLabel: true,
  show: (rank) => (rank === null ? '?' : String(rank)),
};
const NAME = words('name', 'name');
const SPREAD = [
  count('count', 'count', 'how many events, all chosen ranks and steps'),
  time('total_ns', 'total', 'their durations added up'),
  share('percent', 'share', 'the total as a share of all device events, added up'),
  time('mean_ns', 'mean', 'total / count'),
  time('min_ns', 'least', 'the shortest event'),
  time('max_ns', 'most', 'the longest event: the one that the name opens'),
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
    columns: [NAME, words('work', 'work', 'compute, communication, copy or set'), ...SPREAD],
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
      count('count', 'calls', 'how often it was called'),
      time('direct_ns', 'device', 'busy with what the operator launched itself'),
      share('percent', 'share', 'of all device time'),
      time('subtree_ns', 'device, with inner', 'and with what the operators in it launched'),
      time('host_ns', 'host', 'from its begin to its end on its thread, all calls'),
      time('host_self_ns', 'host, self', 'of that, without the operators in it'),
    ],
    sort: 'direct_ns',
    empty: 'No operators were recorded.',
  },
  {
    id: 'kernels_by_op',
    label: 'Kernels by operator',
    section: 'kernels_by_op',
    lines: within('kernels'),
    columns: [
      words('op', 'operator', 'the innermost around the launch'),
      NAME,
      number('stream', 'stream'),
      ...SPREAD,
    ],
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
      bytes('size_bytes', 'size', 'what comes out of an all-gather, else what goes in'),
      count('ranks_seen', 'ranks', 'of the group, whose traces are here'),
      count('count', 'count', 'how often'),
      time('latency_ns', 'latency', 'mean of the shortest over the ranks'),
      figure('algorithm_gb_per_s', 'algorithm GB/s', 'size / latency, mean; 10^9 bytes'),
      figure(
        'bus_gb_per_s',
        'bus GB/s',
        'what the links carry: by nccl-tests, from the algorithm and the group size',
      ),
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
      count('came_last', 'came last', 'meetings in which it was the last'),
      count('came_first', 'came first', 'meetings in which it was the first'),
      time('caused_wait_ns', 'others waited for it', 'added up over the others, when it came last'),
      time('wait_ns', 'waited itself', 'from its start to the last arrival'),
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
      number('step', 'step'),
      number('last_rank', 'last to come', 'the rank that the others waited for'),
      time('wait_ns', 'waited, all ranks', 'from each start to the last arrival, added up'),
      time('skew_start_ns', 'first to last arrival', 'on aligned clocks where their offsets are known'),
      time('transfer_ns', 'transfer', 'all ranks are in it'),
      count('ranks_seen', 'ranks', 'of the group, whose traces are here'),
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
      count('count', 'count', 'how many launches'),
      time('call_median_ns', 'call, median', 'how long the launching call takes'),
      time('delay_median_ns', 'delay, median', 'from the end of the call to the start of the work'),
      time('delay_max_ns', 'delay, most', 'the longest delay: the launch that the name opens'),
      time('tklqt_ns', 'TKLQT', 'total kernel launch and queueing time'),
      count('slow_calls', 'slow calls', 'over 50 us'),
      count('late', 'late', 'started over 100 us after the call'),
      count('shorter_than_call', 'shorter than call', 'work that took less than the call that launched it'),
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
      words('dims', 'shapes', 'of its inputs'),
      count('count', 'count', 'calls with these shapes'),
      time('busy_ns', 'device', 'busy with what it launched'),
      figure('tflops_per_s', 'TFLOP/s', 'floating-point operations of its formula / device time'),
      figure('gb_per_s', 'GB/s', 'inputs read once and outputs written once / device time'),
      words('bound', 'bound by', 'what the roofline is limited by: compute or memory'),
      share('roofline_percent', 'of roofline', 'least time at the peaks of the device / its time'),
    ],
    sort: 'busy_ns',
    empty: 'No shapes were recorded (record_shapes=True), or no operator with a formula launched work.',
  },
  {
    id: 'ops_by_shape',
    label: 'Operators by shapes',
    section: 'ops_by_shape',
    lines: inRanks('ops'),
    columns: [RANK, NAME, words('dims', 'shapes', 'of its inputs'), ...SPREAD],
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
      count('count', 'calls', 'of the operator, with just this sequence'),
      count('kernels', 'kernels each', 'that one call launches'),
      time('device_ns', 'device', 'their durations, added up'),
      time('host_ns', 'host', 'the operator on its thread, all calls'),
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
      count('count', 'count', 'how often'),
      time('overlap_ns', 'overlap', 'in which both ran, added up'),
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
      count('calls', 'calls', 'of its forward'),
      time('direct_ns', 'device', 'in no inner module'),
      time('subtree_ns', 'device, with inner', 'and what inner modules launched'),
      time('host_ns', 'host', 'on its thread, all calls'),
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
      number('stream', 'stream'),
      time('idle_ns', 'idle', 'between its first work and its last'),
      count('gaps', 'gaps', 'how many'),
      time('host_wait_ns', 'host late', 'the launch was called after the work before had ended'),
      time('kernel_wait_ns', 'between kernels', 'launched in time, started within 30 us'),
      time('other_ns', 'other', 'held up by an event, another stream or another rank'),
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
      words('name', 'ended by', 'the work that began after it'),
      time('dur_ns', 'idle', 'nothing ran on the device'),
      { ...words('cause', 'cause'), show: (cause) => CAUSES[String(cause)] ?? '–' },
      { ...time('begin_ns', 'since', 'after the first event of the run'), isLabel: true },
    ],
    sort: 'dur_ns',
    empty: 'The device is never idle.',
  },
  {
    id: 'short_kernels',
    label: 'Short kernels',
    section: 'short_kernels',
    lines: within('kernels'),
    columns: [words('op', 'operator', 'the innermost around the launch'), NAME, ...SPREAD],
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
      count('length', 'length', 'kernels in the chain'),
      count('count', 'count', 'how often it occurs'),
      count('launches_saved', 'launches saved', 'if each occurrence were one launch'),
      time('busy_ns', 'busy, first time', 'its kernels, the first time it occurs'),
      time('gaps_ns', 'gaps, first time', 'between them'),
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
      count('count', 'count', 'how many copies'),
      bytes('bytes', 'bytes', 'of all of them'),
      time('total_ns', 'time', 'their durations added up'),
      figure('gb_per_s', 'GB/s', 'bytes / time'),
      figure('max_gb_per_s', 'fastest, GB/s', 'the fastest copy'),
    ],
    sort: 'total_ns',
    empty: 'Nothing was copied.',
  },
];

export interface Shown {
  readonly columns: readonly Column[];
  /** Headings of the columns that hold nothing. */
  readonly empty: readonly string[];
  /** The column that the table is sorted by at first. */
  readonly sort: string;
}

/** The columns that say something: no figure that is 0 or unknown in all lines, no rank where there is only one. */
export function worthShowing(kind: TableKind, lines: readonly Line[]): Shown {
  const severalRanks = new Set(lines.map(({ rank }) => rank)).size > 1;
  const kept = kind.columns.filter(({ key }) => key !== 'rank' || severalRanks);
  const isEmpty = ({ key, words: isWords, isLabel }: Column) =>
    !isLabel && !isWords && lines.every((line) => !line[key]);
  const columns = kept.filter((column) => !isEmpty(column));
  const has = (key: string) => columns.some((column) => column.key === key);
  const instead = columns.find(({ key }) => key.endsWith('_ns')) ?? columns.find((column) => !column.words);
  const sort = has(kind.sort) ? kind.sort : (instead?.key ?? kind.sort);
  return { columns, empty: kept.filter(isEmpty).map(({ label }) => label), sort };
}

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
