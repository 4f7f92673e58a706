// Every page of the site, in the order of its navigation. A page of docs/ that is missing here, and
// a line here without its page, fail the build.
export const sections = [
  {
    title: 'Guides',
    pages: [
      ['README.md', 'Overview'],
      ['docs/getting-started.md', 'Getting started'],
      ['docs/switching.md', 'Switching, and back'],
      ['docs/register.md', 'The register switch'],
      ['docs/typescript.md', 'TypeScript'],
      ['docs/performance.md', 'Performance and tuning'],
      ['docs/containers.md', 'Containers'],
      ['docs/windows.md', 'Windows'],
      ['docs/bundlers.md', 'Bundlers'],
      ['docs/cluster.md', 'Cluster and workers'],
      ['docs/observability.md', 'Observability'],
      ['docs/troubleshooting.md', 'Troubleshooting'],
      ['docs/faq.md', 'Questions'],
    ],
  },
  {
    title: 'Reference',
    pages: [
      ['docs/compatibility.md', 'Compatibility'],
      ['docs/engine.md', 'Engine: options, counters'],
      ['docs/command-line.md', 'Command line'],
      ['docs/limits.md', 'Limits'],
      ['docs/local-sockets.md', 'Local sockets'],
      ['docs/dgram.md', 'Datagrams'],
      ['docs/framing.md', 'Framing'],
      ['docs/send-file.md', 'Sending files'],
      ['reference/index.md', 'Types, from the sources'],
    ],
  },
  {
    title: 'Benchmarks',
    pages: [
      ['docs/benchmarks.md', 'Results'],
      ['docs/lab-notebook.md', 'Lab notebook'],
    ],
  },
  {
    title: 'Project',
    pages: [
      ['docs/reliability.md', 'Reliability'],
      ['docs/conformance.md', 'Conformance'],
      ['ARCHITECTURE.md', 'Architecture'],
      ['CONTRIBUTING.md', 'Contributing'],
      ['docs/releasing.md', 'Releasing'],
      ['SECURITY.md', 'Security'],
      ['CHANGELOG.md', 'Changelog'],
    ],
  },
];

/** Made by site/reference.mjs; the others are files of the repository. */
export const isGenerated = (file) => file.startsWith('reference/');

/** Where a file of the repository stands on the site: README.md is its front page. */
export const placeOf = (file) =>
  file === 'README.md' ? 'index.md' : file.replace(/^docs\//, '').toLowerCase();

export const files = sections.flatMap(({ pages }) => pages.map(([file]) => file));

/** Their pictures. */
export const pictureFolders = ['docs/bench', 'docs/screenshots'];
