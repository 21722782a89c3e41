// Every command and its keys, from the one table that also handles them.

import { Sheet } from './Sheet';

export interface HelpEntry {
  group: string;
  label: string;
  /** As on the keyboard: `W`, `←`. Several keys do the same. */
  shown: readonly string[];
}

export function HelpSheet({ entries, onClose }: { entries: readonly HelpEntry[]; onClose: () => void }) {
  const groups = [...new Set(entries.map((entry) => entry.group))];
  return (
    <Sheet title="Keys" onClose={onClose}>
      {groups.map((group) => (
        <section class="key-group" key={group}>
          <h3>{group}</h3>
          <dl>{entries.filter((entry) => entry.group === group).map(Entry)}</dl>
        </section>
      ))}
    </Sheet>
  );
}

function Entry({ label, shown }: HelpEntry) {
  return (
    <div key={label}>
      <dt>{label}</dt>
      <dd>
        {shown.map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dd>
    </div>
  );
}
