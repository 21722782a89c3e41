import './ui/style.css';
import { useEffect, useState } from 'preact/hooks';
import { mount, readPage, type TimelinePage } from './page';
import { RunBadges } from './run/Badges';
import { StaleBanner } from './run/Stale';
import { SensitivityView } from './sensitivity/SensitivityView';
import { getJson, type Sensitivity } from './transport/api';
import { inTabs, NotReady } from './viewer/page_parts';

function SensitivityIsland({ page }: { page: TimelinePage }) {
  const [figures, setFigures] = useState<Sensitivity | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    getJson<Sensitivity>(`runs/${page.run.id}/sensitivity/`).then(setFigures, (error: Error) =>
      setProblem(error.message),
    );
  }, []);
  return (
    <>
      <StaleBanner run={page.run} csrf={page.csrf} canEdit={page.can_edit} />
      {problem && (
        <p class="error" role="alert">
          {problem}
        </p>
      )}
      {figures && <SensitivityView run={page.run} figures={figures} />}
    </>
  );
}

const page = readPage<TimelinePage>();
mount(page.run.state === 'ready' ? <SensitivityIsland page={page} /> : <NotReady run={page.run} />);
inTabs(<RunBadges run={page.run} />);
