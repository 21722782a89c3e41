// A table that is sorted by a click on a heading and filtered by words; each line opens an example in the timeline.

import { useState } from 'preact/hooks';
import { formatCount, formatPlural } from '../ui/format';
import { visible } from '../ui/text';
import type { Line } from './figures';
import { arranged, type Column, type TableKind } from './tables';

const SHOWN = 50;

interface Props {
  kind: TableKind;
  lines: readonly Line[];
  /** The address of the run's timeline. */
  timeline: string;
}

export function FigureTable({ kind, lines, timeline }: Props) {
  const columns = worthShowing(kind, lines);
  const [filter, setFilter] = useState('');
  const [sort, setSort] = useState(kind.sort);
  const [ascending, setAscending] = useState(false);
  const [all, setAll] = useState(false);
  if (!lines.length) return <p class="muted">{kind.empty}</p>;
  const found = arranged(lines, columns, filter, sort, ascending);
  const sortBy = (column: Column) => {
    setAscending(column.key === sort ? !ascending : Boolean(column.words));
    setSort(column.key);
  };
  return (
    <>
      <div class="table-head">
        <input
          class="input"
          type="search"
          aria-label={`Filter ${kind.label}`}
          placeholder="Filter"
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
        <span class="muted">
          {found.length === lines.length
            ? formatPlural(lines.length, 'line')
            : `${formatCount(found.length)} of ${formatPlural(lines.length, 'line')}`}
        </span>
      </div>
      <div class="table-scroll">
        <table class="figures wide-figures">
          <thead>
            <tr>
              {columns.map((column) => (
                <th
                  key={column.key}
                  scope="col"
                  class={column.words ? 'words' : ''}
                  aria-sort={column.key === sort ? (ascending ? 'ascending' : 'descending') : undefined}
                >
                  <button type="button" class="sort" title={column.title} onClick={() => sortBy(column)}>
                    {column.label}
                    {column.key === sort && <span aria-hidden="true">{ascending ? ' ↑' : ' ↓'}</span>}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(all ? found : found.slice(0, SHOWN)).map((line, at) => (
              <tr key={at}>
                {columns.map((column, index) => (
                  <Cell
                    key={column.key}
                    column={column}
                    line={line}
                    door={index === doorAt(columns) ? timeline : ''}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!all && found.length > SHOWN && (
        <button type="button" class="button quiet" onClick={() => setAll(true)}>
          Show all {formatCount(found.length)}
        </button>
      )}
    </>
  );
}

/** All columns, but for the rank where there is one only. */
function worthShowing({ columns }: TableKind, lines: readonly Line[]): readonly Column[] {
  const several = new Set(lines.map(({ rank }) => rank)).size > 1;
  return several ? columns : columns.filter(({ key }) => key !== 'rank');
}

/** Which column opens the timeline: the name, else the first with words. */
function doorAt(columns: readonly Column[]): number {
  const name = columns.findIndex(({ key }) => key === 'name');
  return name >= 0 ? name : columns.findIndex(({ words }) => words);
}

function Cell({ column, line, door }: { column: Column; line: Line; door: string }) {
  const text = column.show(line[column.key], line);
  if (!column.words) return <td>{text}</td>;
  const opens = door && typeof line.row === 'number' && line.row >= 0;
  return (
    <td class="words" title={visible(text, 2000)}>
      {opens ? (
        <a href={`${door}?event=${line.trace}.${line.row}`}>
          <bdi>{visible(text)}</bdi>
        </a>
      ) : (
        <bdi>{visible(text)}</bdi>
      )}
    </td>
  );
}
