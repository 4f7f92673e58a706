// The reference: TypeDoc reads the TSDoc of what the package's entries export.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { Application, Converter, ReflectionKind } from 'typedoc';
import ts from 'typescript';
import { pagesFolder, root } from './folders.mjs';

const { exports: entries, name: packageName } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);

/** The module behind an entry of package.json, as scripts/entries.mjs names it in dist/entry. */
function sourceOf(entry) {
  const made = readFileSync(join(root, 'dist/entry', `${entry}.d.mts`), 'utf8');
  const [, module] = /from '\.\.\/(.+)\.js'/.exec(made);
  return join(root, 'src', `${module}.ts`);
}

const sources = new Map(
  Object.entries(entries)
    .filter(([, { import: esm }]) => esm !== undefined)
    .map(([subpath, { import: esm }]) => {
      const [, entry] = /entry\/(.+)\.mjs$/.exec(esm.default);
      return [sourceOf(entry), subpath.replace(/^\./, packageName)];
    }),
);

const fileOf = (context, module) =>
  context.getSymbolFromReflection(module)?.declarations?.[0]?.getSourceFile().fileName;

/** Do our sources say something of it? */
function isDescribed(context, reflection) {
  const declarations = context.getSymbolFromReflection(reflection)?.declarations ?? [];
  return declarations.some((each) => {
    const statement = ts.isVariableDeclaration(each) ? each.parent.parent : each;
    return ts.getJSDocCommentsAndTags(statement).length > 0;
  });
}

/** Interfaces are kept: those that are ours extend one of Node's. */
function leaveToNode(context, module, builtin) {
  const names = Object.keys(process.getBuiltinModule(builtin));
  const isNodes = (each) =>
    names.includes(each.name) || each.kindOf([ReflectionKind.Variable, ReflectionKind.TypeAlias]);
  const alone = (module.children ?? [])
    .filter((each) => !each.kindOf(ReflectionKind.Interface) && isNodes(each))
    .filter((each) => !isDescribed(context, each));
  for (const each of alone) context.project.removeReflection(each);
  for (const signature of module.children?.flatMap((each) => each.signatures ?? []) ?? []) {
    withoutWords(signature);
  }
}

/** Without the words that Node's types have for a signature. */
function withoutWords(signature) {
  delete signature.comment;
  for (const parameter of signature.parameters ?? []) delete parameter.comment;
}

/** Users know a module by what they import; what it has unchanged from Node, Node describes. */
function prepare(context) {
  for (const module of context.project.getReflectionsByKind(ReflectionKind.Module)) {
    const name = sources.get(fileOf(context, module));
    if (name === undefined) throw new Error(`${module.name} is no entry of the package`);
    const builtin = name === packageName ? 'net' : name.slice(packageName.length + 1);
    if (builtinModules.includes(builtin)) leaveToNode(context, module, builtin);
    module.name = name;
  }
}

/** The plugin links to the second heading of a name also where a page has one alone. */
function repairAnchors(folder) {
  for (const file of readdirSync(folder, { recursive: true })) {
    if (!file.endsWith('.md')) continue;
    const text = readFileSync(join(folder, file), 'utf8');
    const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, name]) => name.toLowerCase());
    const isAlone = (name) => headings.filter((each) => each === name).length === 1;
    const repaired = text.replace(/\(#(\w+)-1\)/g, (link, name) =>
      isAlone(name) ? `(#${name})` : link,
    );
    if (repaired !== text) writeFileSync(join(folder, file), repaired);
  }
}

/** Writes the reference; throws where TypeDoc warns, of a link that leads nowhere for example. */
export async function writeReference() {
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: [...sources.keys()],
    tsconfig: join(root, 'tsconfig.json'),
    name: 'Types',
    readme: 'none',
    outputs: [{ name: 'markdown', path: join(pagesFolder, 'reference') }],
    outputFileStrategy: 'modules',
    // npm run lint has checked them.
    skipErrorChecking: true,
    excludeExternals: true,
    excludeInternal: true,
    excludePrivate: true,
    disableSources: true,
    entryFileName: 'index',
    hidePageHeader: true,
    useHTMLEncodedBrackets: true,
    sanitizeComments: true,
    logLevel: 'Warn',
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, prepare);
  const project = await app.convert();
  if (project === undefined) throw new Error('TypeDoc could not read the sources');
  await app.generateOutputs(project);
  repairAnchors(join(pagesFolder, 'reference'));
  if (app.logger.hasErrors() || app.logger.hasWarnings()) {
    throw new Error('the TSDoc of the sources is not in order: see above');
  }
}
