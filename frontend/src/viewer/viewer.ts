// The state of a viewer page as signals, between the surface (which knows no framework) and the components.

import { signal } from '@preact/signals';
import type { Hit } from '../engine/cursor';
import { Input } from '../engine/input';
import type { CommandId } from '../engine/keys';
import { trackName } from '../engine/rows';
import { Surface, toViewport } from '../engine/surface';
import { fit, type Viewport } from '../engine/viewport';
import { type Alike, type EventDetail, getJson } from '../transport/api';
import { formatDuration } from '../ui/format';
import type { RunPane } from './run_pane';
import { formatState, parseState } from './url';

export interface Hover {
  readonly hit: Hit;
  readonly x: number;
  readonly y: number;
}

/** The chosen event: in which pane, and its details once they came, by pane. */
export interface Chosen {
  readonly pane: number;
  readonly details: readonly (EventDetail | null)[];
}

export interface ViewerOptions {
  readonly isPaired: boolean;
  /** Sets the panes' offsets for a window of the axis. */
  readonly align?: (view: Viewport) => void;
  readonly onCommand: (id: CommandId) => void;
}

const SETTLED_MS = 200;

export class Viewer {
  readonly view = signal<Viewport>({ beginNs: 0, endNs: 1 });
  readonly settled = signal(0); // counts the moments at which the picture came to rest
  readonly hover = signal<Hover | null>(null);
  readonly range = signal<Viewport | null>(null);
  readonly chosen = signal<Chosen | null>(null);
  /** What shares the chosen event's name, once that came. */
  readonly alike = signal<Alike | null>(null);
  readonly spoken = signal(''); // for readers of the screen
  readonly axis = signal<string | null>(null);
  surface: Surface | null = null;
  private input: Input | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked = 0;
  private selected: { pane: number; trace: number; row: number } | null = null;

  constructor(
    readonly panes: readonly RunPane[],
    private readonly options: ViewerOptions,
  ) {}

  /** Start drawing into `host`, with what the address says. */
  attach(host: HTMLElement): () => void {
    const state = parseState(location.search);
    const [first] = this.panes;
    const spans = this.panes.map(({ layout }) => layout.span);
    this.axis.value = state.axis;
    this.surface = new Surface(
      host,
      this.panes.map(({ pane }) => pane),
      {
        hasMinimap: this.panes.length === 1,
        isPaired: this.options.isPaired,
        view: state.view ?? toViewport(first.layout.view),
        bounds: {
          beginNs: Math.min(...spans.map(([begin]) => begin)),
          endNs: Math.max(...spans.map(([, end]) => end)),
        },
      },
      {
        want: (pane, wanted) => this.panes[pane].want(wanted),
        hover: (hit, x, y) => {
          this.hover.value = hit && { hit, x, y };
        },
        select: (hit) => this.onSelect(hit),
        view: (view) => this.onView(view),
        range: (range) => {
          this.range.value = range;
        },
        align: this.options.align,
        formatDuration,
      },
    );
    this.view.value = this.surface.view;
    this.input = new Input(this.surface, (id) => this.command(id));
    if (state.selected) void this.restore(state.selected, state.view === null);
    this.settle();
    return () => this.detach();
  }

  /** More tiles or names arrived. */
  readonly arrived = (): void => {
    this.surface?.changed();
    this.settle();
  };

  setAxis(axis: string | null): void {
    this.axis.value = axis;
    this.surface?.changed();
    this.settle();
  }

  /** Show [beginNs, endNs] of the axis. */
  show(beginNs: number, endNs: number): void {
    if (this.surface) this.surface.jump(fit(beginNs, endNs, this.surface.bounds));
    this.surface?.host.focus();
  }

  /** Choose a row of a trace and bring it into view. */
  async go(pane: number, trace: number, row: number): Promise<void> {
    await this.choose(pane, trace, row);
    if (this.chosen.value) this.surface?.reveal();
  }

  private command(id: CommandId): void {
    if (id === 'next-alike') this.goAlike('next');
    else if (id === 'previous-alike') this.goAlike('previous');
    else this.options.onCommand(id);
  }

  /** To the event of the same name that comes before or after the chosen one, or to the longest. */
  goAlike(which: 'previous' | 'next' | 'longest'): void {
    const place = this.alike.value?.[which];
    if (place && this.chosen.value) void this.go(this.chosen.value.pane, place.trace, place.row);
  }

  /** The tracks of the first pane that are on the screen. */
  tracksInView(): number[] {
    const rows = this.surface?.visibleRows(0) ?? [];
    return [...new Set(rows.flatMap((row) => (row.kind === 'track' ? [row.track] : [])))];
  }

  nameOf(hit: Hit): string {
    return this.panes[hit.pane].pane.names.of(hit.name) ?? '…';
  }

  /** The same event in the other pane, if they are paired and it is to be seen there. */
  pairOf(hit: Hit): { title: string; durNs: number } | null {
    const { surface } = this;
    if (!surface || !this.options.isPaired || hit.count > 1) return null;
    const other = this.panes[1 - hit.pane].pane;
    const spot = other.find(hit.track, hit.row, surface.view, surface.timeWidth);
    return spot && { title: other.title.trim(), durNs: spot.durNs };
  }

  trackOf(hit: Hit) {
    return this.panes[hit.pane].layout.tracks[hit.track];
  }

  private detach(): void {
    clearTimeout(this.timer);
    this.input?.destroy();
    this.surface?.destroy();
    for (const pane of this.panes) pane.close();
    this.surface = null;
  }

  private async restore(
    selected: { pane: number; trace: number; row: number },
    reveal: boolean,
  ): Promise<void> {
    const pane = Math.min(selected.pane, this.panes.length - 1);
    await this.choose(pane, selected.trace, selected.row);
    if (reveal && this.chosen.value) this.surface?.reveal();
  }

  private onSelect(hit: Hit | null): void {
    if (!hit) {
      this.asked += 1;
      this.selected = null;
      this.chosen.value = null;
      this.alike.value = null;
      this.surface?.setKin([]);
      this.settle();
      return;
    }
    this.speak(hit);
    void this.choose(hit.pane, this.trackOf(hit).trace, hit.row);
  }

  /** Fetch the details, in all panes if they are paired, and mark the event by its true times. */
  private async choose(pane: number, trace: number, row: number): Promise<void> {
    const ticket = ++this.asked;
    this.selected = { pane, trace, row };
    this.settle();
    const wanted = this.panes.map((_, index) => index === pane || this.options.isPaired);
    const details = await Promise.all(
      this.panes.map(({ run, layout }, index) =>
        wanted[index]
          ? getJson<EventDetail>(`runs/${run.id}/events/${trace}/${row}/?clock=${layout.clock}`).catch(
              () => null,
            )
          : null,
      ),
    );
    if (ticket !== this.asked) return;
    if (details[pane]?.name_code !== this.chosen.value?.details[pane]?.name_code) this.alike.value = null;
    this.chosen.value = details.some(Boolean) ? { pane, details } : null;
    this.markByTimes(pane, details);
    this.surface?.setKin(details.map((detail) => detail?.name_code ?? null));
    const { run, layout } = this.panes[pane];
    const address = `runs/${run.id}/events/${trace}/${row}/alike/?clock=${layout.clock}`;
    const alike = this.chosen.value && (await getJson<Alike>(address).catch(() => null));
    if (ticket === this.asked) this.alike.value = alike;
  }

  private markByTimes(pane: number, details: readonly (EventDetail | null)[]): void {
    const known = this.surface?.selection?.marks ?? [];
    const marks = details.map((detail, index) => {
      if (!detail) return null;
      const lane = known[index]?.row === detail.row ? known[index]?.lane : undefined;
      const { track, row, start_ns: startNs, dur_ns: durNs, depth } = detail;
      return { track, row, startNs, durNs, lane: lane ?? depth };
    });
    this.surface?.setSelection(this.chosen.value && { pane, marks });
  }

  private speak(hit: Hit): void {
    const name = trackName(this.trackOf(hit));
    const what = hit.count > 1 ? `${hit.count} events, longest ${this.nameOf(hit)}` : this.nameOf(hit);
    const [duration, start] = [formatDuration(hit.durNs), formatDuration(hit.startNs)];
    this.spoken.value = `${what}, ${duration}, starts at ${start}, ${name}, lane ${hit.lane + 1}`;
  }

  private onView(view: Viewport): void {
    this.view.value = view;
    this.settle();
  }

  /** Write the address once the picture rests: browsers limit how often it may change. */
  private settle(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.settled.value += 1;
      const { selected } = this;
      const state = { view: this.view.value, selected, axis: this.axis.value };
      history.replaceState(null, '', formatState(state, location.search));
    }, SETTLED_MS);
  }
}
