import { matchesGlob } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { GiteaUrlReader, urlReaderFactoriesServiceRef, type ReaderFactory } from '@backstage/backend-defaults/urlReader';
import { createServiceFactory, type UrlReaderService } from '@backstage/backend-plugin-api';
import { PATIENCE_MS } from './giteaPullRequest.ts';

/** The reader that is built in waits for a hanging forge for minutes, and a task with it. */
async function soon<T>(reading: Promise<T>, url: string): Promise<T> {
  const late = new AbortController();
  const end = setTimeout(PATIENCE_MS, undefined, { signal: late.signal }).then(() => {
    throw new Error(`The forge should answer within ${PATIENCE_MS / 1000} s, but did not: ${url}`);
  });
  try {
    return await Promise.race([reading, end]);
  } finally {
    late.abort();
    end.catch(() => {});
  }
}

/** As the reader that is built in, but with patterns in what is searched for, as GitHub's has them, and with a limit. */
function improved(reader: UrlReaderService): UrlReaderService {
  const readTree: UrlReaderService['readTree'] = (url, options) => soon(reader.readTree(url, options), url);
  return {
    readTree,
    readUrl: (url, options) => soon(reader.readUrl(url, options), url),
    async search(url, options) {
      const [folder, ...rest] = url.split(/\/(?=[^/]*\*)/);
      if (rest.length === 0) {
        return soon(reader.search(url, options), url);
      }
      const pattern = rest.join('/');
      const tree = await readTree(folder, { ...options, filter: path => matchesGlob(path, pattern) });
      const files = await soon(tree.files(), url);
      return { etag: tree.etag, files: files.map(({ path, content }) => ({ url: `${folder}/${path}`, content })) };
    },
  };
}

const readers: ReaderFactory = deps =>
  GiteaUrlReader.factory(deps).map(({ reader, predicate }) => ({ predicate, reader: improved(reader) }));

export default createServiceFactory({
  service: urlReaderFactoriesServiceRef,
  deps: {},
  factory: () => readers,
});
