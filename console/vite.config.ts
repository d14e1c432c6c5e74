import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

/**
 * Everything is emitted as a file of its own with a hash in its name: nothing inline, so that the
 * page works under a policy that allows scripts and styles from this origin only.
 */
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    target: 'es2023',
  },
  server: { proxy: { '/v1': 'http://localhost:8790', '/operator': 'http://localhost:8790' } },
  test: { include: ['**/*.test.{ts,tsx}'], environment: 'node' },
});
