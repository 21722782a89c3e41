// What was chosen or dropped, as files with the path they have in their folder, and what to call the run they make.

/** A file to send. `path` is its place in the dropped folder, or its name: ranks are told apart by it. */
export interface TraceFile {
  readonly file: File;
  readonly path: string;
}

/** For a file dialog. What a file is, the server finds out by its content; the name only says what a folder holds. */
export const ACCEPT = '.json,.gz,.zst,.zip,.tgz,.et';
const SUFFIX = /((\.pt)?(\.trace)?\.json|\.et|\.tar)?(\.gz|\.zst|\.zip|\.tgz)?$/i;
const TRACE = /\.(json|et|gz|zst|zip|tgz)$/i;
const RANK_TAIL = /[\s._-]*(rank|r|gpu|worker)?[\s._-]*\d*[\s._-]*$/i;
const SHORTEST_NAME = 3;

export function chosenFiles(files: Iterable<File>): TraceFile[] {
  return [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** Every file dropped, and the traces in the folders. To be called within the event: later it is gone. */
export function droppedFiles(transfer: DataTransfer): Promise<TraceFile[]> {
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  if (entries.length === 0) return Promise.resolve(chosenFiles(transfer.files));
  return Promise.all(entries.map(filesOf)).then((lists) => lists.flat());
}

async function filesOf(entry: FileSystemEntry): Promise<TraceFile[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ file, path: entry.fullPath.replace(/^\//, '') || file.name }];
  }
  const lists = await Promise.all((await childrenOf(entry as FileSystemDirectoryEntry)).map(filesOf));
  return tracesOf(lists.flat());
}

async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  for (;;) {
    // A directory is read in batches; an empty one ends it.
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (batch.length === 0) return entries;
    entries.push(...batch);
  }
}

/** Of a folder's files those that may be traces: notes and logs beside them are nobody's rank. */
export function tracesOf(files: readonly TraceFile[]): TraceFile[] {
  return files.filter(({ file }) => TRACE.test(file.name));
}

/** The file's name without its endings; of several files what their names, or their folder, begin with. */
export function runName(paths: readonly string[]): string {
  const stems = paths.map((path) => baseName(path).replace(SUFFIX, ''));
  const [first = '', ...others] = stems;
  if (others.length === 0) return first || 'trace';
  const common = commonPrefix(stems).replace(RANK_TAIL, '');
  if (common.length >= SHORTEST_NAME) return common;
  return topFolder(paths) || `${paths.length} ranks`;
}

const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1);

function topFolder(paths: readonly string[]): string {
  const [folder = '', ...rest] = (paths[0] ?? '').split('/');
  return rest.length > 0 && paths.every((path) => path.startsWith(`${folder}/`)) ? folder : '';
}

function commonPrefix(texts: readonly string[]): string {
  const [first = '', ...others] = texts;
  let length = first.length;
  for (const other of others) {
    while (!other.startsWith(first.slice(0, length))) length -= 1;
  }
  return first.slice(0, length);
}
