/** The end of a worker, of a thread or of a cluster. */
import { compareEndings, endingNames } from '../support/lifecycle';

compareEndings(endingNames.filter((ending) => ending.includes('worker')));
