import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ConflictError, InputError } from '@backstage/errors';
import { getGiteaRequestOptions, type ScmIntegrationRegistry } from '@backstage/integration';
import {
  createTemplateAction,
  getRepoSourceDirectory,
  parseRepoUrl,
  serializeDirectoryContents,
} from '@backstage/plugin-scaffolder-node';

/** A forge that does not answer must end the task, and not keep it for ever. */
export const PATIENCE_MS = 10_000;
/** How often, and after which pauses, is looked for what somebody else is about to make: 5 s in all. */
const LOOKS = 20;
const PAUSE_MS = 250;
/** The most that Gitea puts on a page, by its default. */
const PAGE = 50;

type File = { path: string; content: string };
type PullRequest = { number: number; html_url: string; head: { ref: string } };

/**
 * Opens a pull request that adds files to a repository on Gitea. Doing it again is safe at any point: the branch is made
 * with all its files in one commit, and what is there already is taken, if it is the same.
 *
 * The task fails with a ConflictError when a file is on the target branch already, or the branch holds something else.
 */
export function createGiteaPullRequestAction(integrations: ScmIntegrationRegistry) {
  return createTemplateAction({
    id: 'publish:gitea:pull-request',
    description: 'Opens a pull request on Gitea with the files of the workspace, which must all be new.',
    supportsDryRun: true,
    schema: {
      // Named as those of publish:github:pull-request.
      input: {
        repoUrl: z => z.string().describe('HOST?owner=OWNER&repo=REPO'),
        branchName: z => z.string(),
        targetBranchName: z => z.string().default('main'),
        title: z => z.string(),
        description: z => z.string().default(''),
        sourcePath: z => z.string().describe('Folder of the workspace that stands for the repository').optional(),
      },
      output: {
        remoteUrl: z => z.string(),
        pullRequestNumber: z => z.number(),
      },
    },
    async handler(ctx) {
      const { repoUrl, branchName: branch, targetBranchName: target, title, description, sourcePath } = ctx.input;
      const forge = connect(integrations, repoUrl, ctx.signal);
      const source = getRepoSourceDirectory(ctx.workspacePath, sourcePath);
      const files = (await serializeDirectoryContents(source)).map(({ path, content }) => ({
        path,
        content: content.toString('base64'),
      }));
      if (files.length === 0) {
        throw new InputError('The steps before should leave files in the workspace, but left none');
      }

      if (ctx.isDryRun) {
        await forge.assertNew(files, target);
        return;
      }
      const made = await ctx.checkpoint({
        key: 'branch',
        fn: async () => {
          await forge.assertNew(files, target);
          return forge.provideBranch(branch, target, files, title);
        },
      });
      const pull = await ctx.checkpoint({
        key: 'pull-request',
        fn: async () => {
          const { number, html_url: url } = await forge.providePullRequest(branch, target, title, description, made);
          return { number, url };
        },
      });
      ctx.output('pullRequestNumber', pull.number);
      ctx.output('remoteUrl', pull.url);
    },
  });
}

/** What is asked of one repository. */
function connect(integrations: ScmIntegrationRegistry, repoUrl: string, cancelled?: AbortSignal) {
  const { host, owner, repo } = parseRepoUrl(repoUrl, integrations);
  const config = integrations.gitea.byHost(host)?.config;
  if (!config) {
    throw new InputError(`integrations.gitea should have the host ${host} of repoUrl, but has not`);
  }
  const { headers } = getGiteaRequestOptions(config);

  /** What Gitea answers; undefined when it knows nothing of that path. */
  async function find(path: string, method = 'GET', body?: object) {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(`${config!.baseUrl}/api/v1/repos/${owner}/${repo}/${path}`, {
      method,
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: body && JSON.stringify(body),
      signal: cancelled ? AbortSignal.any([patience, cancelled]) : patience,
    });
    if (response.ok) {
      return response.json();
    }
    if (response.status === 404 && method === 'GET') {
      return undefined;
    }
    const said = (await response.text()).slice(0, 300);
    throw new Error(`${host} should accept ${method} ${path}, but answers ${response.status}: ${said}`);
  }

  /** A file with its content in base64, or a list of what a folder holds. */
  const look = (path: string, branch: string) =>
    find(`contents/${path.split('/').map(encodeURIComponent).join('/')}?ref=${encodeURIComponent(branch)}`);

  const create = (path: string, body: object) => find(path, 'POST', body);

  async function openPullRequest(branch: string, target: string): Promise<PullRequest | undefined> {
    for (let page = 1; ; page++) {
      const open: PullRequest[] = await find(
        `pulls?state=open&base_branch=${encodeURIComponent(target)}&limit=${PAGE}&page=${page}`,
      );
      const found = open.find(pull => pull.head.ref === branch);
      if (found || open.length < PAGE) {
        return found;
      }
    }
  }

  /** Somebody else may be making it at this moment. */
  async function soon<T>(find: () => Promise<T | undefined>): Promise<T | undefined> {
    for (let looks = 1; ; looks++) {
      const found = await find();
      if (found || looks === LOOKS) {
        return found;
      }
      await setTimeout(PAUSE_MS, undefined, { signal: cancelled });
    }
  }

  return {
    /** What is in a folder that is there already was not looked at; so their folders are to be new, too. */
    async assertNew(files: File[], target: string) {
      for (const folder of new Set(files.map(file => dirname(file.path)))) {
        if (await look(folder, target)) {
          throw new ConflictError(`${folder} should be new, but is on ${target} already. Next: another name`);
        }
      }
    },

    /** Makes the branch with all files in one commit, or finds it made; says whether it made it. */
    async provideBranch(branch: string, target: string, files: File[], message: string): Promise<boolean> {
      const findBranch = () => find(`branches/${encodeURIComponent(branch)}`);
      if (!(await findBranch())) {
        const operations = files.map(file => ({ operation: 'create', ...file }));
        try {
          await create('contents', { branch: target, new_branch: branch, message, files: operations });
          return true;
        } catch (error) {
          // Of two requests at once Gitea answers one with 500.
          if (!(await soon(findBranch))) {
            throw error;
          }
        }
      }
      for (const file of files) {
        if ((await look(file.path, branch))?.content !== file.content) {
          const pull = await soon(() => openPullRequest(branch, target));
          const where = pull ? `pull request #${pull.number}` : `the branch ${branch}`;
          throw new ConflictError(`${file.path} should be free, but ${where} has another. Next: another name`);
        }
      }
      return false;
    },

    /** Opens the pull request, or finds it open. Two at once would be two: who made the branch goes first. */
    async providePullRequest(branch: string, target: string, title: string, body: string, first: boolean) {
      const findOpen = () => openPullRequest(branch, target);
      const open = await (first ? findOpen() : soon(findOpen));
      return open ?? ((await create('pulls', { head: branch, base: target, title, body })) as PullRequest);
    },
  };
}
