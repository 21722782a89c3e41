// A table that is sorted by a click on a heading and filtered by words; each line opens an example in the timeline.

import { useState } from 'preact/hooks';
import { formatCount, formatPlural } from '../ui/format';
import { Meanings } from '../ui/Meanings';
import { FIRST, More } from '../ui/More';
import { SortHeading } from '../ui/SortHeading';
import { visible } from '../ui/text';
import type { Line } from './figures';
import { arranged, type Column, type TableKind, worthShowing } from './tables';

interface Props {
  kind: TableKind;
  lines: readonly Line[];
  /** The address of the run's timeline. */
  timeline: string;
}

export function FigureTable({ kind, lines, timeline }: Props) {
  const { columns, empty, sort: sortedFirst } = worthShowing(kind, lines);
  const [filter, setFilter] = useState('');
  const [sort, setSort] = useState(sortedFirst);
  const [ascending, setAscending] = useState(false);
  const [shown, setShown] = useState(FIRST);
  if (!lines.length) return <p class="muted">{kind.empty}</p>;
  const found = arranged(lines, columns, filter, sort, ascending);
  const sortBy = (column: Column) => {
    setAscending(column.key === sort ? !ascending : Boolean(column.words));
    setSort(column.key);
  };
  const door = doorAt(columns);
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
        <span class="muted" role="status">
          {found.length === lines.length
            ? formatPlural(lines.length, 'line')
            : `${formatCount(found.length)} of ${formatPlural(lines.length, 'line')}`}
        </span>
      </div>
      <div class="table-scroll">
        <table class="figures wide-figures">
          <caption class="sr-only">{kind.label}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <SortHeading
                  key={column.key}
                  label={column.label}
                  title={column.title}
                  class={column.words ? 'words' : undefined}
                  sorted={column.key === sort ? (ascending ? 'ascending' : 'descending') : undefined}
                  onSort={() => sortBy(column)}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {found.slice(0, shown).map((line, at) => (
              <tr key={at}>
                {columns.map((column, index) => (
                  <Cell
                    key={column.key}
                    column={column}
                    line={line}
                    door={index === door ? timeline : ''}
                    isHead={index === door}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <More shown={Math.min(shown, found.length)} total={found.length} onMore={setShown} />
      {empty.length > 0 && (
        <p class="muted">Left out, because it is 0 or unknown in all lines: {empty.join('; ')}.</p>
      )}
      <Meanings columns={columns} />
    </>
  );
}

/** Which column opens the timeline: the name, else the first with words. */
function doorAt(columns: readonly Column[]): number {
  const name = columns.findIndex(({ key }) => key === 'name');
  return name >= 0 ? name : columns.findIndex(({ words }) => words);
}

interface CellProps {
  column: Column;
  line: Line;
  /** The timeline that this cell opens; "" where it opens nothing. */
  door: string;
  isHead: boolean;
}

function Cell({ column, line, door, isHead }: CellProps) {
  const text = column.show(line[column.key], line);
  if (!column.words) return <td>{text}</td>;
  const opens = door && typeof line.row === 'number' && line.row >= 0;
  const shown = <bdi>{visible(text)}</bdi>;
  const content = opens ? <a href={`${door}?event=${line.trace}.${line.row}`}>{shown}</a> : shown;
  const title = visible(text, 2000);
  return isHead ? (
    <th scope="row" class="words" title={title}>
      {content}
    </th>
  ) : (
    <td class="words" title={title}>
      {content}
    </td>
  );
}
