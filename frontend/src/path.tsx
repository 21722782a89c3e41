import './ui/style.css';
import { mount, readPage, type TimelinePage } from './page';
import { PathView } from './path/PathView';
import { RunBadges } from './run/Badges';
import { inTabs, NotReady } from './viewer/page_parts';

const { run } = readPage<TimelinePage>();
mount(run.state === 'ready' ? <PathView run={run} /> : <NotReady run={run} />);
inTabs(<RunBadges run={run} />);
