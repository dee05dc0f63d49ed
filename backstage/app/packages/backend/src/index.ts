import { createBackend } from '@backstage/backend-defaults';
import { coreServices, createBackendFeatureLoader } from '@backstage/backend-plugin-api';
import forgottenTasks from './forgottenTasks.ts';
import giteaPullRequests from './gitea.ts';
import giteaReader from './giteaReader.ts';

/** Only the ways to sign in that are configured are in the process at all. */
const signIn = createBackendFeatureLoader({
  deps: { config: coreServices.rootConfig },
  *loader({ config }) {
    if (config.has('auth.providers.github')) {
      yield import('@backstage/plugin-auth-backend-module-github-provider');
    }
    if (config.has('auth.providers.guest')) {
      yield import('@backstage/plugin-auth-backend-module-guest-provider');
    }
    if (config.has('auth.providers.oidc')) {
      yield import('@backstage/plugin-auth-backend-module-oidc-provider');
    }
  },
});

const backend = createBackend();
backend.add(import('@backstage/plugin-app-backend'));
backend.add(import('@backstage/plugin-auth-backend'));
backend.add(signIn);
backend.add(import('@backstage/plugin-catalog-backend'));
backend.add(import('@backstage/plugin-catalog-backend-module-scaffolder-entity-model'));
backend.add(import('@backstage/plugin-permission-backend'));
backend.add(import('@backstage/plugin-permission-backend-module-allow-all-policy'));
backend.add(import('@backstage/plugin-scaffolder-backend'));
backend.add(import('@backstage/plugin-scaffolder-backend-module-github'));
backend.add(import('@backstage/plugin-scaffolder-backend-module-workspace-database'));
backend.add(forgottenTasks);
backend.add(giteaPullRequests);
backend.add(giteaReader);
try {
  await backend.start();
} catch (error) {
  // It would go on living, and never be ready.
  console.error(error);
  process.exit(1);
}
