// Who sends to an upload: at most one tab. A second tab that is given the same file starts an upload of its own.

const heldHere = new Set<string>();

/** Take the upload at `url` for this tab until it is let go; null if somebody has it. */
export async function hold(url: string): Promise<(() => void) | null> {
  if (heldHere.has(url)) return null;
  heldHere.add(url);
  const release = await lock(url);
  if (!release) {
    heldHere.delete(url);
    return null;
  }
  return () => {
    heldHere.delete(url);
    release();
  };
}

/** Whether a tab has the upload at `url`; asking takes nothing from anybody. */
export async function isHeld(url: string): Promise<boolean> {
  if (heldHere.has(url)) return true;
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return held.some(({ name }) => name === nameOf(url));
}

const nameOf = (url: string) => `upload ${url}`;

// Browsers know locks on secure pages only. Elsewhere two tabs may send to one upload: the server takes each byte
// once all the same, because a part at another offset than its own is refused.
function lock(url: string): Promise<(() => void) | null> {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((resolve) => {
    void navigator.locks.request(nameOf(url), { ifAvailable: true }, (granted) => {
      if (granted) return new Promise<void>((release) => resolve(release));
      resolve(null);
    });
  });
}
