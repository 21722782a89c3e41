// What an owner may decide about the project.

import { signal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { askWith } from '../run/desk';
import { getJson, type Project, send } from '../transport/api';
import { Sheet } from '../ui/Sheet';

interface SettingsProps {
  slug: string;
  csrf: string;
}

export function SettingsMenu({ slug, csrf }: SettingsProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="button" onClick={() => setOpen(true)}>
        Settings
      </button>
      {isOpen && <SettingsSheet slug={slug} csrf={csrf} onClose={() => setOpen(false)} />}
    </>
  );
}

function SettingsSheet({ slug, csrf, onClose }: SettingsProps & { onClose: () => void }) {
  const [project, setProject] = useState<Project | null>(null);
  const problem = useMemo(() => signal(''), []);
  useEffect(() => {
    void askWith(problem, async () => setProject(await getJson<Project>(`projects/${slug}/`)));
  }, [slug]);
  const keep = (keep_originals: boolean) =>
    void askWith(problem, async () =>
      setProject(await send<Project>('PATCH', `projects/${slug}/`, csrf, { keep_originals })),
    );
  return (
    <Sheet title="Project settings" isPlain onClose={onClose}>
      <div class="form">
        {problem.value && (
          <p class="error" role="alert">
            {problem.value}
          </p>
        )}
        {project && (
          <label class="option">
            <input
              type="checkbox"
              checked={project.keep_originals}
              disabled={project.role !== 'owner'}
              onChange={(event) => keep(event.currentTarget.checked)}
            />
            <span>
              Keep the original files{' '}
              <span class="muted">
                They may hold secrets, which are masked everywhere else. Without them a run cannot be
                downloaded as it was, nor read again.{project.role !== 'owner' && ' Owners decide this.'}
              </span>
            </span>
          </label>
        )}
      </div>
    </Sheet>
  );
}
