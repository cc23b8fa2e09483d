// Writes the table of the console's files: node embed_console.mjs DIST FOLDER OUT.c OUT.S
//
// Each file of DIST goes into the program as it is and, where that is smaller, compressed by gzip and brotli; the compressed forms are
// made in FOLDER. OUT.S holds the bytes (.incbin costs no compile time), OUT.c the table (src/console/assets.h).

import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";

const [dist, folder, outC, outS] = process.argv.slice(2).map((p) => path.resolve(p));
const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".woff2": "font/woff2",
};

function files(dir) {
  return fs.readdirSync(dir, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? files(path.join(dir, e.name)) : [path.join(dir, e.name)]));
}

function compressed(bytes, type) {
  if (/^(font|image\/png)/.test(type)) return {};
  const { constants: k } = zlib;
  return {
    gzip: zlib.gzipSync(bytes, { level: 9 }),
    brotli: zlib.brotliCompressSync(bytes, {
      params: { [k.BROTLI_PARAM_QUALITY]: k.BROTLI_MAX_QUALITY, [k.BROTLI_PARAM_MODE]: k.BROTLI_MODE_TEXT, [k.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
  };
}

fs.rmSync(folder, { recursive: true, force: true });
fs.mkdirSync(folder, { recursive: true });

let symbols = 0;
let declarations = "";
let assembly = "\t.section .rodata\n";

function embed(file) {
  const name = `console_bytes_${symbols++}`;
  assembly += `\t.global ${name}\n\t.hidden ${name}\n\t.global ${name}_end\n\t.hidden ${name}_end\n\t.balign 16\n${name}:\n\t.incbin ${JSON.stringify(file)}\n${name}_end:\n\t.byte 0\n`;
  declarations += `extern const unsigned char ${name}[], ${name}_end[];\n`;
  return `{ ${name}, ${name}_end }`;
}

const rows = files(dist)
  .map((file) => ({ file, name: path.relative(dist, file).split(path.sep).join("/") }))
  .sort((a, b) => (a.name < b.name ? -1 : 1))
  .map(({ file, name }, i) => {
    const bytes = fs.readFileSync(file);
    const type = TYPES[path.extname(name)] ?? "application/octet-stream";
    const hash = crypto.createHash("sha256").update(bytes).digest("hex").slice(0, 32);
    let row = `\t{ .path = ${JSON.stringify(name)}, .type = ${JSON.stringify(type)}, .hash = "${hash}",\n`;
    row += `\t\t.is_immutable = ${/^assets\/.+-[A-Z0-9]{8}\.[a-z0-9]+$/.test(name)}, .plain = ${embed(file)},\n`;
    for (const [form, packed] of Object.entries(compressed(bytes, type))) {
      if (packed.length >= bytes.length) continue;
      const place = path.join(folder, `${i}.${form}`);
      fs.writeFileSync(place, packed);
      row += `\t\t.${form} = ${embed(place)},\n`;
    }
    return `${row}\t},\n`;
  });

assembly += '\t.section .note.GNU-stack,"",%progbits\n';
fs.writeFileSync(outS, assembly);
fs.writeFileSync(
  outC,
  `/* Made by tools/embed_console.mjs. */\n#include "console/assets.h"\n\n${declarations}\nconst struct console_asset console_assets[] = {\n${rows.join("")}};\nconst size_t console_asset_count = ${rows.length};\n`,
);
