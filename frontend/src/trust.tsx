import './ui/style.css';
import { mount, readPage, type TimelinePage } from './page';
import { QualityLink } from './run/Badges';
import { TrustView } from './trust/TrustView';
import { inTabs } from './viewer/page_parts';

const page = readPage<TimelinePage>();
mount(<TrustView page={page} />);
inTabs(<QualityLink run={page.run} />);
