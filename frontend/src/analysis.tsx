import './ui/style.css';
import { AnalysisView } from './analysis/AnalysisView';
import { mount, readPage, type TimelinePage } from './page';
import { RunBadges } from './run/Badges';
import { inTabs, NotReady } from './viewer/page_parts';

const { run } = readPage<TimelinePage>();
mount(run.state === 'ready' ? <AnalysisView run={run} /> : <NotReady run={run} />);
inTabs(<RunBadges run={run} />);
