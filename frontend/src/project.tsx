import './ui/style.css';
import { mount, readPage } from './page';
import { type ProjectPage, ProjectView } from './project/ProjectView';

mount(<ProjectView page={readPage<ProjectPage>()} />);
