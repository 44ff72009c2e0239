#!/usr/bin/env node
// Reads targets with tuf-js, starting from a root file and nothing else.
//
//     read_js.mjs METADATA_URL TARGETS_URL ROOT_FILE OUTPUT_DIRECTORY <NAMES
//
// One name a line. Each target ends up in the directory under its percent-encoded name. Prints which tuf-js it was; with
// --version nothing else happens (status 3: there is none). INTEROP_TUFJS: a directory with node_modules/tuf-js.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

function load() {
  const base = process.env.INTEROP_TUFJS ? path.resolve(process.env.INTEROP_TUFJS, 'x.js') : import.meta.url;
  const require = createRequire(base);
  return { tuf: require('tuf-js'), version: require('tuf-js/package.json').version };
}

async function readAll({ Updater }, [metadataBaseUrl, targetBaseUrl, root, output]) {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'interop-'));
  try {
    fs.copyFileSync(root, path.join(work, 'root.json'));
    const client = new Updater({ metadataDir: work, metadataBaseUrl, targetDir: output, targetBaseUrl });
    await client.refresh();
    for (const name of fs.readFileSync(0, 'utf8').split('\n').slice(0, -1)) {
      const info = await client.getTargetInfo(name);
      if (!info) throw new Error(`no role lists '${name}'`);
      await client.downloadTarget(info, path.join(output, encodeURIComponent(name)));
    }
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

let found;
try {
  found = load();
} catch (error) {
  console.log(`no tuf-js: ${String(error.message).split('\n')[0]}`);
  process.exit(3);
}
console.log(`tuf-js ${found.version}, Node.js ${process.versions.node}`);
if (process.argv[2] !== '--version') {
  try {
    await readAll(found.tuf, process.argv.slice(2));
  } catch (error) {
    console.error(String(error));
    process.exit(1);
  }
}
