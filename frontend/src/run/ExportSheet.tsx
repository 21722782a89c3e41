// Out again: which part, in which format; or handed to Perfetto.

import { useState } from 'preact/hooks';
import type { ClockMode, Run } from '../transport/api';
import { Sheet } from '../ui/Sheet';
import { visible } from '../ui/text';
import { exportUrl, FORMATS, type Format, type Part, WHOLE } from './exporting';
import { openInPerfetto, PERFETTO } from './perfetto';

const CLOCKS = [
  ['recorded', 'as recorded', 'each rank by its own clock'],
  ['aligned', 'aligned', "the clocks' estimated offsets are taken off all times"],
] as const;

interface ExportSheetProps {
  run: Run;
  /** What may be exported besides all of it. */
  parts: readonly Part[];
  /** On which clocks the page shows the run. */
  shownClock: ClockMode;
  onClose: () => void;
}

export function ExportSheet({ run, parts, shownClock, onClose }: ExportSheetProps) {
  const choices = [WHOLE, ...parts];
  const [part, setPart] = useState(0);
  const [format, setFormat] = useState<Format>('chrome');
  const [picked, setClock] = useState<ClockMode>(shownClock);
  const chosen = choices[part];
  const clock = chosen.range ? shownClock : picked; // a range is one on the page's clocks
  return (
    <Sheet title={`Export ${visible(run.name, 60)}`} isPlain onClose={onClose}>
      <div class="form">
        {parts.length > 0 && (
          <fieldset class="options">
            <legend>Which part</legend>
            {choices.map(({ label }, index) => (
              <Option key={label} name="part" isChosen={index === part} onChoose={() => setPart(index)}>
                {label}
              </Option>
            ))}
          </fieldset>
        )}
        {run.ranks > 1 && (
          <fieldset class="options" disabled={chosen.range !== undefined}>
            <legend>Clocks of the ranks</legend>
            {CLOCKS.map(([value, label, note]) => (
              <Option key={value} name="clock" isChosen={value === clock} onChoose={() => setClock(value)}>
                {label} <span class="muted">{note}</span>
              </Option>
            ))}
            {chosen.range && <p class="muted">A range is exported on the clocks that the page shows.</p>}
          </fieldset>
        )}
        <fieldset class="options">
          <legend>Format</legend>
          {FORMATS.map(([value, label, note]) => (
            <Option key={value} name="format" isChosen={value === format} onChoose={() => setFormat(value)}>
              {label} <span class="muted">{note}</span>
            </Option>
          ))}
        </fieldset>
        <div class="button-row">
          <a class="button primary" href={exportUrl(run, format, chosen, clock)} download>
            Download
          </a>
        </div>
        <Perfetto run={run} address={exportUrl(run, 'chrome', chosen, clock)} />
      </div>
    </Sheet>
  );
}

interface OptionProps {
  name: string;
  isChosen: boolean;
  onChoose: () => void;
  children: preact.ComponentChildren;
}

function Option({ name, isChosen, onChoose, children }: OptionProps) {
  return (
    <label class="option">
      <input type="radio" name={name} checked={isChosen} onChange={onChoose} />
      <span>{children}</span>
    </label>
  );
}

type Phase = { at: 'idle' | 'working' | 'done' } | { at: 'failed'; why: string };

function Perfetto({ run, address }: { run: Run; address: string }) {
  const [phase, setPhase] = useState<Phase>({ at: 'idle' });
  const open = () => {
    setPhase({ at: 'working' });
    openInPerfetto(address, visible(run.name, 120)).then(
      () => setPhase({ at: 'done' }),
      (error: Error) => setPhase({ at: 'failed', why: error.message }),
    );
  };
  return (
    <section class="form hand-over">
      <div class="button-row">
        <button type="button" class="button" disabled={phase.at === 'working'} onClick={open}>
          {phase.at === 'working' ? 'Handing over…' : 'Open in Perfetto'}
        </button>
        {phase.at === 'done' && <span role="status">Handed over.</span>}
      </div>
      {phase.at === 'failed' && (
        <p class="error" role="alert">
          {phase.why}
        </p>
      )}
      <p class="muted">
        Opens {PERFETTO} in a new window and hands the trace to that page within this browser; nothing is
        uploaded.
      </p>
    </section>
  );
}
