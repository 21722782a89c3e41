// The page of a project: its runs, and how new ones come in.

import { useCallback, useEffect, useMemo } from 'preact/hooks';
import type { Page } from '../page';
import type { Run } from '../transport/api';
import { connection } from '../transport/connection';
import { ConnectionBanner } from '../ui/ConnectionBanner';
import { formatPlural } from '../ui/format';
import { visible } from '../ui/text';
import type { TraceFile } from '../uploads/files';
import { DropVeil, FileButton } from './DropZone';
import { RunsTable } from './RunsTable';
import { RunList } from './runs';
import { SettingsMenu } from './SettingsMenu';

export interface ProjectPage extends Page {
  runs: Run[];
  count: number;
  search: string;
  previous: string | null;
  next: string | null;
}

export function ProjectView({ page }: { page: ProjectPage }) {
  const list = useMemo(
    () => new RunList({ slug: page.project.slug, csrf: page.csrf, runs: page.runs }),
    [page],
  );
  const tag = new URLSearchParams(location.search).get('tag') ?? '';
  const add = useCallback((files: readonly TraceFile[]) => void list.add(files), [list]);
  useEffect(() => {
    if (page.can_edit) void list.findUnfinished();
  }, [list]);
  const empty = [list.runs, list.uploads, list.unfinished].every((rows) => rows.value.length === 0);
  return (
    <>
      <ConnectionBanner status={connection().status} />
      <div class="page-head">
        <h1>Runs</h1>
        <SearchForm search={page.search} />
        {page.can_edit && <FileButton onFiles={add} />}
        {page.can_edit && <SettingsMenu slug={page.project.slug} csrf={page.csrf} />}
      </div>
      {tag && <TagFilter slug={page.project.slug} tag={tag} />}
      {list.problem.value && (
        <p class="error" role="alert">
          {list.problem.value}
        </p>
      )}
      {empty ? <Empty page={page} tag={tag} /> : <RunsTable list={list} canEdit={page.can_edit} />}
      <Pager page={page} />
      {page.can_edit && <DropVeil onFiles={add} />}
      <p class="sr-only" role="status">
        {list.news.value}
      </p>
    </>
  );
}

function TagFilter({ slug, tag }: { slug: string; tag: string }) {
  return (
    <p class="tag-filter">
      Runs tagged
      <span class="tag">
        <bdi>{visible(tag, 80)}</bdi>
      </span>
      <a href={`/p/${slug}/`}>All runs</a>
    </p>
  );
}

function SearchForm({ search }: { search: string }) {
  return (
    <form class="search" method="get">
      <label class="sr-only" for="id_search">
        Search runs by name
      </label>
      <input
        class="input"
        id="id_search"
        type="search"
        name="search"
        defaultValue={search}
        placeholder="Search runs by name"
      />
      <button class="button" type="submit">
        Search
      </button>
    </form>
  );
}

function Empty({ page, tag }: { page: ProjectPage; tag: string }) {
  if (page.search || tag) {
    return (
      <div class="empty">
        <h2>{page.search ? 'No run has this in its name' : 'No run has this tag'}</h2>
        <a href={`/p/${page.project.slug}/`}>All runs</a>
      </div>
    );
  }
  return (
    <div class="empty">
      <h2>No runs yet</h2>
      {page.can_edit ? (
        <p>
          Drop the profiler traces of one run anywhere on this page: a file per rank, a folder, or an archive.
        </p>
      ) : (
        <p>Runs appear here when a member of the project adds them.</p>
      )}
      <p class="muted">
        PyTorch writes them with <code>prof.export_chrome_trace("rank0.json.gz")</code>
      </p>
    </div>
  );
}

function Pager({ page }: { page: ProjectPage }) {
  if (!page.previous && !page.next) return null;
  return (
    <nav class="pager" aria-label="Pages">
      <span>{formatPlural(page.count, 'run')}</span>
      <span class="pager-end">
        {page.previous && (
          <a class="button" href={page.previous} rel="prev">
            Newer
          </a>
        )}
        {page.next && (
          <a class="button" href={page.next} rel="next">
            Older
          </a>
        )}
      </span>
    </nav>
  );
}
