import { slug } from 'github-slugger';
import { defineConfig } from 'vitepress';
import { cacheFolder, htmlFolder, pagesFolder } from '../folders.mjs';
import { placeOf, sections } from '../pages.mjs';

const linkTo = (file) => `/${placeOf(file).replace(/(index)?\.md$/, '')}`;

export default defineConfig({
  title: 'iocp-net',
  description: 'A drop-in replacement for node:net on I/O completion ports, epoll and io_uring',
  lang: 'en',
  // A browser would ask for one.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  base: process.env.DOCS_BASE ?? '/',
  srcDir: pagesFolder,
  outDir: htmlFolder,
  cacheDir: cacheFolder,
  // What it would read of git are the staged copies.
  lastUpdated: false,
  // The same anchors as where the pages are read in the repository.
  markdown: { anchor: { slugify: slug } },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Guide', link: '/getting-started' },
      { text: 'Reference', link: '/engine' },
      { text: 'Benchmarks', link: '/benchmarks' },
      { text: 'Changelog', link: '/changelog' },
    ],
    sidebar: sections.map(({ title, pages }) => ({
      text: title,
      items: pages.map(([file, text]) => ({ text, link: linkTo(file) })),
    })),
  },
});
