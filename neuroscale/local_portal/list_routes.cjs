// Loaded into the portal before its own code: writes down which routes its HTTP server has, and changes nothing.
'use strict';
const { renameSync, writeFileSync } = require('node:fs');
const http = require('node:http');

const file = process.env.NEUROSCALE_ROUTES;
const original = http.createServer;

/** Where a router is mounted, from the expression that Express makes of it. */
const mounted = layer =>
  layer.regexp.fast_slash
    ? ''
    : layer.regexp.source.replace(/^\^/, '').replace(/\\\/\?\(\?=\\\/\|\$\)$/, '').replaceAll('\\/', '/').replaceAll('\\.', '.');

function* routes(stack, prefix) {
  for (const layer of stack) {
    if (layer.route) {
      for (const path of [layer.route.path].flat()) {
        for (const method of Object.keys(layer.route.methods)) {
          yield `${method === '_all' ? 'GET' : method.toUpperCase()} ${prefix}${path}`;
        }
      }
    } else if (layer.handle?.stack) {
      yield* routes(layer.handle.stack, prefix + mounted(layer));
    }
  }
}

/** Looked at again and again, since plugins add theirs as they start. */
function watch(app) {
  let last = '';
  setInterval(() => {
    const found = app?._router ? [...new Set(routes(app._router.stack, ''))].sort().join('\n') : '';
    if (found !== last) {
      writeFileSync(`${file}.new`, (last = found));
      renameSync(`${file}.new`, file);
    }
  }, 250).unref();
}

http.createServer = function createServer(...args) {
  args.filter(one => typeof one === 'function').forEach(watch);
  return original.apply(this, args);
};
