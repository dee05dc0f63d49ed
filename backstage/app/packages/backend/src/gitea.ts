import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';
import { ScmIntegrations } from '@backstage/integration';
import { scaffolderActionsExtensionPoint } from '@backstage/plugin-scaffolder-node';
import { createGiteaPullRequestAction } from './giteaPullRequest.ts';

/** Adds the action that opens pull requests on Gitea: no published module has one. */
export default createBackendModule({
  pluginId: 'scaffolder',
  moduleId: 'gitea-pull-request',
  register({ registerInit }) {
    registerInit({
      deps: { actions: scaffolderActionsExtensionPoint, config: coreServices.rootConfig },
      async init({ actions, config }) {
        actions.addActions(createGiteaPullRequestAction(ScmIntegrations.fromConfig(config)));
      },
    });
  },
});
