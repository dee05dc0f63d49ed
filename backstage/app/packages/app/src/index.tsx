import '@backstage/ui/css/styles.css';
import { createApp } from '@backstage/frontend-defaults';
import catalogPlugin from '@backstage/plugin-catalog/alpha';
import scaffolderPlugin from '@backstage/plugin-scaffolder/alpha';
import { createRoot } from 'react-dom/client';

const app = createApp({ features: [catalogPlugin, scaffolderPlugin] });
createRoot(document.getElementById('root')!).render(app.createRoot());
