// Bundles every file of js/widgets into workbench/static/<name>.js, one self-contained ES module per widget.
// A module travels with every instance of its widget (anywidget), so a bundle past LIMIT fails the build.
import { build, context } from 'esbuild';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

const LIMIT = 100_000;
const dev = process.argv.includes('--dev');
const entryPoints = existsSync('js/widgets')
  ? readdirSync('js/widgets')
      .filter(f => /\.tsx?$/.test(f) && !/\.(d|test)\.tsx?$/.test(f))
      .map(f => `js/widgets/${f}`)
  : [];

const options = {
  entryPoints,
  outdir: 'workbench/static',
  bundle: true,
  format: 'esm',
  target: 'es2022',
  charset: 'utf8',
  minify: !dev,
  sourcemap: dev ? 'inline' : false,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  loader: { '.css': 'text', '.svg': 'text' },
  plugins: [
    {
      name: 'minified-css-text',
      setup({ onLoad }) {
        onLoad({ filter: /\.css$/ }, async ({ path: file }) => {
          const css = await build({ entryPoints: [file], bundle: true, minify: !dev, write: false, loader: { '.css': 'css' } });
          return { contents: css.outputFiles[0].text, loader: 'text', watchFiles: [file] };
        });
      }
    }
  ]
};

if (process.argv.includes('--watch')) {
  await (await context(options)).watch();
} else {
  const { metafile } = await build(options);
  for (const [file, { bytes }] of Object.entries(metafile.outputs)) {
    console.log(`${path.basename(file).padEnd(16)} ${(bytes / 1000).toFixed(1).padStart(7)} kB`);
    if (!dev && bytes > LIMIT) {
      console.error(`${file} is over ${LIMIT / 1000} kB; it travels with every instance of the widget.`);
      process.exitCode = 1;
    }
  }
}
