import './ui/style.css';
import { mount, readPage, type TimelinePage } from './page';
import { TrustView } from './trust/TrustView';

mount(<TrustView page={readPage<TimelinePage>()} />);
