import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

// The bundle is committed: names carry no hash (WhiteNoise adds one when files are collected) and a rebuild
// must give the same bytes, so what is shared goes into two chunks with fixed names.
export default defineConfig({
  base: './',
  publicDir: false,
  build: {
    outDir: path('../static/traceviewer'),
    emptyOutDir: true,
    sourcemap: false,
    cssCodeSplit: false,
    modulePreload: false,
    rolldownOptions: {
      input: {
        shell: path('src/shell.ts'),
        project: path('src/project.tsx'),
        timeline: path('src/timeline.tsx'),
        compare: path('src/compare.tsx'),
        path: path('src/path.tsx'),
        sensitivity: path('src/sensitivity.tsx'),
        analysis: path('src/analysis.tsx'),
        trust: path('src/trust.tsx'),
      },
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: '[name].js',
        assetFileNames: 'traceviewer[extname]',
        codeSplitting: {
          groups: [
            { name: 'vendor', test: /node_modules/, priority: 2 },
            { name: 'canvas', test: /src\/(engine|tiles|diff|viewer)\//, priority: 1 },
            { name: 'shared', test: /src\/(page|run|transport|protocol|ui|uploads)/, priority: 1 },
          ],
        },
      },
    },
  },
  test: {
    include: ['tests/**/*.test.{ts,tsx}'],
    environment: 'node',
    alias: { 'tus-js-client': path('node_modules/tus-js-client/lib.esm/browser/index.js') }, // the half that is built
  },
});
