/** The end of a process, of its own will or not. */
import { compareEndings, endingNames } from '../support/lifecycle';

compareEndings(endingNames.filter((ending) => !ending.includes('worker')));
