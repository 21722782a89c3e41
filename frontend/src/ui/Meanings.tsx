// What the columns of a table mean, for those who cannot or do not hover over their headings.

export interface Meaning {
  readonly label: string;
  readonly title?: string;
}

export function Meanings({ columns }: { columns: readonly Meaning[] }) {
  const explained = columns.filter(({ title }) => title);
  if (!explained.length) return null;
  return (
    <details class="meanings">
      <summary>What the columns mean</summary>
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
