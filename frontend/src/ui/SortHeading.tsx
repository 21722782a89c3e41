// The heading of a column that sorts its table: a button, with the direction for eyes and for readers of the screen.

export type Sorted = 'ascending' | 'descending' | undefined;

interface SortHeadingProps {
  label: string;
  /** What the column means. */
  title?: string;
  class?: string;
  /** How the table is sorted by this column; undefined if it is sorted by another. */
  sorted: Sorted;
  onSort: () => void;
}

export function SortHeading({ label, title, class: kind, sorted, onSort }: SortHeadingProps) {
  return (
    <th scope="col" class={kind} aria-sort={sorted}>
      <button type="button" class="sort" title={title} onClick={onSort}>
        {label}
        {sorted && <span aria-hidden="true">{sorted === 'ascending' ? ' ↑' : ' ↓'}</span>}
      </button>
    </th>
  );
}
