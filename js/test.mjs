// Runs every js/**/*.test.ts(x) with Node's own test runner: bundles each into a temporary folder first.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

const tests = readdirSync('js', { recursive: true })
  .filter(f => /\.test\.tsx?$/.test(f))
  .map(f => path.join('js', f));
const folder = mkdtempSync(path.join('node_modules', '.workbench-test-'));
try {
  await build({
    entryPoints: tests,
    outdir: folder,
    outbase: 'js',
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    outExtension: { '.js': '.mjs' },
    loader: { '.css': 'text', '.svg': 'text' },
    sourcemap: 'inline',
    logLevel: 'warning'
  });
  const built = readdirSync(folder, { recursive: true })
    .filter(f => f.endsWith('.test.mjs'))
    .map(f => path.join(folder, f));
  const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', '--test-reporter=spec', ...built], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
