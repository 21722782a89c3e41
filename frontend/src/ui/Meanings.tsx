// What the headings of a table mean, for those who cannot or do not hover over them.

export interface Meaning {
  readonly label: string;
  readonly title?: string;
}

interface MeaningsProps {
  what?: string;
  columns: readonly Meaning[];
}

export function Meanings({ what = 'What the columns mean', columns }: MeaningsProps) {
  const explained = columns.filter(({ title }) => title);
  if (!explained.length) return null;
  return (
    <details class="meanings">
      <summary>{what}</summary>
      <dl>
        {explained.map(({ label, title }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{title}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
