/** The page that shows what is in a folder. */
import type { Entry } from './folder';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escape = (text: string): string => text.replace(/[&<>"']/g, (each) => ENTITIES[each] ?? each);

function line({ name, isFolder }: Entry): string {
  const end = isFolder ? '/' : '';
  return `<li><a href="./${escape(encodeURIComponent(name))}${end}">${escape(name)}${end}</a></li>`;
}

export function listingPage(names: readonly string[], entries: readonly Entry[]): string {
  const title = escape(`/${names.map((name) => `${name}/`).join('')}`);
  const up = names.length === 0 ? [] : ['<li><a href="../">../</a></li>'];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<h1>${title}</h1>
<ul>
${[...up, ...entries.map(line)].join('\n')}
</ul>
</html>
`;
}

/** The page needs nothing, so that a name which got past the above could do nothing. */
export const LISTING_POLICY = "default-src 'none'";
