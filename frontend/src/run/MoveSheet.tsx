import { useEffect, useState } from 'preact/hooks';
import { getJson, type Project, type Run } from '../transport/api';
import { Sheet } from '../ui/Sheet';
import { visible } from '../ui/text';
import { change, type Desk } from './desk';

interface MoveSheetProps {
  run: Run;
  desk: Desk;
  onClose: () => void;
}

/** To another project of which the user may change the runs. */
export function MoveSheet({ run, desk, onClose }: MoveSheetProps) {
  const [projects, setProjects] = useState<readonly Project[] | null>(null);
  const [slug, setSlug] = useState('');
  useEffect(() => {
    void desk.ask(async () => {
      const all = await getJson<Project[]>('projects/');
      const others = all.filter((project) => project.slug !== run.project && project.role !== 'viewer');
      setProjects(others);
      setSlug(others[0]?.slug ?? '');
    });
  }, []);
  return (
    <Sheet title={`Move ${visible(run.name, 60)}`} isPlain onClose={onClose}>
      {projects?.length === 0 && <p>There is no other project whose runs you may change.</p>}
      {projects && projects.length > 0 && (
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            onClose();
            void change(desk, run, { project: slug });
          }}
        >
          <div class="field">
            <label for="id_project">Project</label>
            <select
              id="id_project"
              class="input"
              value={slug}
              onChange={(event) => setSlug(event.currentTarget.value)}
            >
              {projects.map((project) => (
                <option key={project.slug} value={project.slug}>
                  {visible(project.name, 80)}
                </option>
              ))}
            </select>
          </div>
          <p class="muted">Who sees the run is then decided by that project. Its predictions go with it.</p>
          <div class="button-row">
            <button type="submit" class="button primary">
              Move
            </button>
          </div>
        </form>
      )}
    </Sheet>
  );
}
