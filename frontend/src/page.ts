// What the server hands a page: the JSON object in #page (docs/protocol.md, "Pages").

import { type ComponentChild, render } from 'preact';
import type { Run } from './transport/api';

export interface Page {
  csrf: string;
  user: string;
  project: { slug: string; name: string };
  can_edit: boolean;
}

export interface TimelinePage extends Page {
  run: Run;
}

export interface ComparePage extends Page {
  a: Run;
  b: Run;
}

export function readPage<P extends Page>(): P {
  return JSON.parse(document.getElementById('page')?.textContent ?? '{}') as P;
}

/** Render the page's island into its element. */
export function mount(island: ComponentChild): void {
  const element = document.getElementById('island');
  if (element) render(island, element);
}
