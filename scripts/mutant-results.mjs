// What came of each mutant, and a table of it in Markdown. Part of test-mutants.mjs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** What a test is called where it is named. */
export const nameOfTest = ({ core, file, scenarios }) =>
  core ?? file ?? `${scenarios} simulated scenarios`;

/**
 * @param {string | undefined} file  where they are kept from one run to the next, after each mutant
 */
export function openResults(file) {
  const isKept = file !== undefined;
  const results = new Map(
    isKept && existsSync(file) ? Object.entries(JSON.parse(readFileSync(file, 'utf8'))) : [],
  );
  return {
    wasNoticed: (name) => results.get(name)?.isNoticed === true,
    wasTried: (name) => results.has(name),
    add(name, how, isNoticed) {
      results.set(name, { isNoticed, how });
      if (isKept) writeFileSync(file, `${JSON.stringify(Object.fromEntries(results), null, 1)}\n`);
    },
  };
}

/** The values of `key`, each with those that have it, in order. */
function groupBy(values, key) {
  const groups = new Map();
  for (const value of values) groups.set(key(value), [...(groups.get(key(value)) ?? []), value]);
  return groups;
}

/** One row for each file that is mutated: how many mutants, how many were noticed, and by which tests. */
export function tableOf(mutants, results) {
  const rows = [...groupBy(mutants, ({ file }) => file)].map(([file, inFile]) => {
    const noticed = inFile.filter(({ name }) => results.wasNoticed(name)).length;
    const untried = inFile.filter(({ name }) => !results.wasTried(name)).length;
    const tests = new Set(inFile.map(({ test }) => `\`${nameOfTest(test)}\``));
    const left = untried > 0 ? `, ${untried} not tried` : '';
    return `| \`${file}\` | ${inFile.length} | ${noticed}${left} | ${[...tests].join(', ')} |`;
  });
  return ['| in | mutants | noticed | by |', '|---|---|---|---|', ...rows, ''].join('\n');
}
