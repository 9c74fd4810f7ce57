// judge compares what Spectral, Redocly CLI and swagger-parser find in sources
// and in the documents published from them:
//
//	node judge.mjs [--control] source published [source published ...]
//
// It fails when a published document has a finding that its source has not: one
// of another rule, with another message, or in another place. With --control the
// published documents are known to be broken, and it fails unless every tool
// finds something new in each of them.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import SwaggerParser from '@apidevtools/swagger-parser';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

// run executes a tool that prints one JSON text after another, and returns them;
// findings are no failure of the tool.
function run(bin, args) {
  const tool = spawnSync(join(here, 'node_modules', '.bin', bin), args, {
    encoding: 'utf8', cwd: here, maxBuffer: 1 << 30,
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  });
  const start = tool.stdout?.search(/^[[{]/m) ?? -1;
  if (tool.error || start < 0) {
    throw new Error(`${bin} did not run: ${tool.error ?? tool.stderr}`);
  }
  return JSON.parse(`[${tool.stdout.slice(start).replaceAll(/^([}\]])([{[])$/gm, '$1,$2')}]`);
}

const pointer = (path) => path.map((token) => '/' + String(token).replaceAll('~', '~0').replaceAll('/', '~1')).join('');

// A tool is given all roots and returns findings: the file, and a text that is
// the same for the same finding in the source and in the published document. No
// line numbers, and nothing but the pointer is a place: what is published is
// appended, so what the source has keeps its index in every list.
const tools = {
  spectral: {
    package: ['@stoplight', 'spectral-cli'],
    find: (roots) => run('spectral', ['lint', '--quiet', '--format', 'json', '--ruleset', join(here, 'spectral.yaml'), ...roots])
      .flat().map((f) => ({ file: f.source, text: `${f.code}: ${f.message}`, at: pointer(f.path) })),
  },
  redocly: {
    package: ['@redocly', 'cli'],
    find: (roots) => run('redocly', ['lint', '--format', 'json', '--extends', 'recommended', '--max-problems', '1000000', ...roots])
      .flatMap((report) => report.problems).flatMap((f) => f.location.map((l) => ({ file: resolve(here, l.source.ref), text: `${f.ruleId}: ${f.message}`, at: (l.pointer ?? '').replace(/^#/, '') }))),
  },
  'swagger-parser': {
    package: ['@apidevtools', 'swagger-parser'],
    find: async (roots) => {
      const all = [];
      for (const file of roots) {
        try {
          await SwaggerParser.validate(file);
        } catch (e) {
          all.push(...(e.details ?? [e]).map((d) => ({ file, text: `${d.keyword ?? d.name}: ${d.message}`, at: d.instancePath ?? '' })));
        }
      }
      return all;
    },
  },
};

// owner returns the root whose document a file belongs to: itself, or the root
// in the nearest directory above it.
function owner(file, roots) {
  const above = roots.filter((root) => root === file || !relative(dirname(root), file).startsWith('..'));
  return above.sort((a, b) => (b === file) - (a === file) || dirname(b).length - dirname(a).length)[0];
}

// byRoot counts the findings of a tool: root -> text -> how often.
async function byRoot(tool, roots) {
  const counts = new Map(roots.map((root) => [root, new Map()]));
  for (const f of await tool.find(roots)) {
    const root = owner(f.file, roots);
    const file = relative(dirname(root), f.file);
    const key = `${f.text} (${f.file === root ? '' : file}#${f.at})`;
    const of = counts.get(root);
    of.set(key, (of.get(key) ?? 0) + 1);
  }
  return counts;
}

const sum = (counts) => [...counts.values()].reduce((a, b) => a + b, 0);

const args = process.argv.slice(2);
const control = args[0] === '--control';
const roots = args.slice(control ? 1 : 0).map((name) => resolve(name));
const sources = roots.filter((_, i) => i % 2 === 0);
const published = roots.filter((_, i) => i % 2 === 1);
let failed = false;
for (const [name, tool] of Object.entries(tools)) {
  const { version } = require(join(here, 'node_modules', ...tool.package, 'package.json'));
  const before = await byRoot(tool, sources);
  const after = await byRoot(tool, published);
  sources.forEach((source, i) => {
    const had = before.get(source);
    const has = after.get(published[i]);
    const fresh = [...has].filter(([key, n]) => n > (had.get(key) ?? 0)).map(([key]) => key);
    const verdict = control ? `${fresh.length} new, as planted` : `${sum(has)} in the published document`;
    console.log(`${name} ${version}: ${sum(had)} findings in ${relative('', source)}, ${verdict}`);
    if (control ? fresh.length === 0 : fresh.length > 0) {
      failed = true;
      console.log(control ? '  it does not see what is broken' : fresh.map((key) => `  new: ${key}`).join('\n'));
    }
  });
}
process.exit(failed ? 1 : 0);
