import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createApi } from '#console/api.ts';
import { App } from '#console/shell/App.tsx';
import '#console/styles/tokens.css';
import '#console/styles/base.css';
import '#console/styles/shell.css';
import '#console/styles/screens.css';
import '#console/styles/print.css';

const root = document.getElementById('root');
if (root)
  createRoot(root).render(
    <StrictMode>
      <App api={createApi()} />
    </StrictMode>,
  );
