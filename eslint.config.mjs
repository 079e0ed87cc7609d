import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['node_modules', 'lib', 'workbench', '.venv', 'dist'] },
  {
    files: ['js/**/*.ts', 'js/**/*.tsx'],
    extends: [js.configs.recommended, ...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: 'js/tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      // Numbers in a template are what most of the labels are.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `() => void f()` and `onClick={() => save()}` are how handlers are written.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Values from the kernel are typed by the protocol but checked where they arrive.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }]
    }
  },
  {
    // The widgets draw with preact's `h`; the sidebar with JupyterLab's own React.
    files: ['js/widgets/**/*.tsx', 'js/common/**/*.tsx'],
    languageOptions: { parserOptions: { jsxPragma: 'h', jsxFragmentName: 'Fragment' } }
  },
  {
    // node:test's `test()` gives a promise that its runner awaits.
    files: ['js/**/*.test.ts', 'js/**/*.test.tsx'],
    rules: { '@typescript-eslint/no-floating-promises': 'off', '@typescript-eslint/no-non-null-assertion': 'off' }
  },
  { files: ['js/*.mjs'], extends: [js.configs.recommended], languageOptions: { globals: { console: 'readonly', process: 'readonly' } } }
);
