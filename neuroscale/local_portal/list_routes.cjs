// Loaded into the portal before its own code: writes down which routes its HTTP server has, and changes nothing.
'use strict';
const { renameSync, writeFileSync } = require('node:fs');
const http = require('node:http');
const Module = require('node:module');

const file = process.env.NEUROSCALE_ROUTES;
const { createServer } = http;
const load = Module._load;

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
    } else {
      // A router, or an application of its own.
      yield* routes(layer.handle.stack ?? (layer.application ?? layer.handle)._router?.stack ?? [], prefix + mounted(layer));
    }
  }
}

/** Looked at again and again, since plugins add theirs as they start. The first line says when, in milliseconds. */
function watch(app) {
  setInterval(() => {
    if (app._router) {
      writeFileSync(`${file}.new`, [Date.now(), ...new Set(routes(app._router.stack, ''))].join('\n'));
      renameSync(`${file}.new`, file);
    }
  }, 250).unref();
}

/** These routers put a function of their own in the place of an application, by which it could be found no more. */
function remembering(PromiseRouter) {
  const made = options => {
    const router = PromiseRouter(options);
    const { use } = router;
    router.use = (...args) => {
      const before = router.stack.length;
      const result = use.apply(router, args);
      const handlers = args.flat(Infinity).filter(one => typeof one === 'function');
      handlers.forEach((one, index) => one._router && (router.stack[before + index].application = one));
      return result;
    };
    return router;
  };
  made.default = made;
  return made;
}

Module._load = function _load(request, ...rest) {
  const loaded = load.call(this, request, ...rest);
  return request === 'express-promise-router' ? remembering(loaded) : loaded;
};

http.createServer = function (...args) {
  args.filter(one => typeof one === 'function').forEach(watch);
  return createServer.apply(this, args);
};
