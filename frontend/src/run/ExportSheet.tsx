// Out again: which part, in which format; or handed to Perfetto.

import { useState } from 'preact/hooks';
import type { Run } from '../transport/api';
import { Sheet } from '../ui/Sheet';
import { visible } from '../ui/text';
import { exportUrl, FORMATS, type Format, type Part, WHOLE } from './exporting';
import { openInPerfetto, PERFETTO } from './perfetto';

interface ExportSheetProps {
  run: Run;
  /** What may be exported besides all of it. */
  parts: readonly Part[];
  onClose: () => void;
}

export function ExportSheet({ run, parts, onClose }: ExportSheetProps) {
  const choices = [WHOLE, ...parts];
  const [part, setPart] = useState(0);
  const [format, setFormat] = useState<Format>('chrome');
  const chosen = choices[part];
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
        <fieldset class="options">
          <legend>Format</legend>
          {FORMATS.map(([value, label, note]) => (
            <Option key={value} name="format" isChosen={value === format} onChoose={() => setFormat(value)}>
              {label} <span class="muted">{note}</span>
            </Option>
          ))}
        </fieldset>
        <div class="button-row">
          <a class="button primary" href={exportUrl(run, format, chosen)} download>
            Download
          </a>
        </div>
        <Perfetto run={run} part={chosen} />
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

function Perfetto({ run, part }: { run: Run; part: Part }) {
  const [phase, setPhase] = useState<Phase>({ at: 'idle' });
  const open = () => {
    setPhase({ at: 'working' });
    openInPerfetto(exportUrl(run, 'chrome', part), visible(run.name, 120)).then(
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
