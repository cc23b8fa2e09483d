// Builds the console.   node build.mjs [--tests | --size | --watch]
//
// Writes dist/: index.html and hashed, split files that it names by relative paths, so that the console works under any
// prefix. --tests writes dist-test/ (the pure modules with their tests, for `node --test`); --size prints what the first
// load costs and fails above the limit.

import * as esbuild from "esbuild";
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { fileURLToPath } from "node:url";

const root = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(root, "dist");
const FIRST_LOAD_LIMIT = 400_000;

// Cloudscape's default texts (mostly labels for screen readers) of the components that the console uses.
const I18N = [
  "[charts]", "alert", "app-layout", "attribute-editor", "breadcrumb-group", "button", "button-dropdown", "copy-to-clipboard", "error-boundary",
  "expandable-section", "flashbar", "form", "form-field", "help-panel", "input", "link", "modal", "pagination", "popover", "progress-bar",
  "select", "side-navigation", "spinner", "status-indicator", "table", "tabs", "text-filter", "token-group", "top-navigation", "token",
];

const i18n = {
  name: "i18n-messages",
  setup(build) {
    build.onLoad({ filter: /i18n[\\/]messages[\\/]all\.en\.js$/ }, async (args) => {
      const all = JSON.parse(await fs.promises.readFile(args.path.replace(/\.js$/, ".json"), "utf8"));
      const wanted = {};
      for (const [namespace, locales] of Object.entries(all)) {
        for (const name of I18N) {
          if (locales.en[name]) ((wanted[namespace] ??= { en: {} }).en)[name] = locales.en[name];
        }
      }
      return { contents: `export default ${JSON.stringify(wanted)};`, loader: "js" };
    });
  },
};

// global-styles carries eight fonts as data: URLs (180 KB in front of the first paint). The two upright weights that the
// console uses become files of their own, which load beside it; the policy of the page need not allow data: fonts.
const fonts = {
  name: "fonts",
  setup(build) {
    const found = new Map();
    build.onLoad({ filter: /global-styles[\\/]index\.css$/ }, async (args) => {
      const text = await fs.promises.readFile(args.path, "utf8");
      const contents = text.replace(/@font-face\s*\{([^}]*)\}/g, (_, body) => {
        const weight = /font-weight:\s*(\d+)/.exec(body)[1];
        const data = /url\(["']?data:[^,]*;base64,([^"')]+)/.exec(body)[1];
        if (/italic/.test(body) || !["400", "700"].includes(weight)) return "";
        found.set(weight, Buffer.from(data, "base64"));
        return `@font-face{font-family:"Open Sans";font-weight:${weight};font-display:swap;src:url("open-sans:${weight}") format("woff2")}`;
      });
      return { contents, loader: "css" };
    });
    build.onResolve({ filter: /^open-sans:/ }, (args) => ({ path: `open-sans-${args.path.slice(10)}.woff2`, namespace: "font" }));
    build.onLoad({ filter: /./, namespace: "font" }, (args) => ({ contents: found.get(/\d+/.exec(args.path)[0]), loader: "file" }));
  },
};

// What Cloudscape imports everywhere and the console never uses: dragging list items about (23 KB compressed), other languages.
const unused = {
  name: "unused",
  setup(build) {
    build.onLoad({ filter: /internal[\\/]components[\\/]sortable-area[\\/]index\.js$/ }, () => ({
      contents: `export default function SortableArea() { throw new Error("sortable lists are left out of this build"); }`,
      loader: "js",
    }));
    build.onLoad({ filter: /components[\\/]i18n[\\/]dynamic\.js$/ }, () => ({ contents: "export function importMessages() { return Promise.resolve([]); }", loader: "js" }));
  },
};

// Cloudscape's texts are parsed already; without its parser the formatter is 12 KB (compressed) smaller.
const noParser = {
  name: "no-icu-parser",
  setup(build) {
    build.onResolve({ filter: /^@formatjs\/icu-messageformat-parser$/ }, (args) =>
      build.resolve("@formatjs/icu-messageformat-parser/no-parser.js", { resolveDir: args.resolveDir, kind: args.kind, importer: args.importer }),
    );
  },
};

// esbuild gives every lazily loaded page a style sheet of its own, repeats in it what the application's has, and loads it nowhere.
// So JavaScript's imports of style sheets are taken out here, and styles() puts them into two: what the first load
// needs, and the rest, which ui/lazy.ts loads before the first page that needs more.
const cssFiles = {
  name: "css-files",
  setup(build) {
    build.onResolve({ filter: /\.css$/ }, async (args) => {
      if (args.pluginData === "resolved" || args.kind === "import-rule") return undefined;
      const found = await build.resolve(args.path, { resolveDir: args.resolveDir, kind: args.kind, importer: args.importer, pluginData: "resolved" });
      return found.errors.length ? found : { path: found.path, namespace: "css-file", sideEffects: true };
    });
    build.onLoad({ filter: /./, namespace: "css-file" }, () => ({ contents: "", loader: "js" }));
  },
};

/** The style sheets that an input reaches by static imports, in the order in which they are imported. */
function stylesOf(metafile, start) {
  const seen = new Set();
  const found = [];
  const visit = (name) => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const i of metafile.inputs[name]?.imports ?? []) if (i.kind !== "dynamic-import") visit(i.path);
    if (name.startsWith("css-file:")) found.push(name.slice("css-file:".length));
  };
  start.forEach(visit);
  return found;
}

const FIRST = ["src/main.tsx"];

async function styles(metafile) {
  const first = stylesOf(metafile, FIRST);
  const rest = stylesOf(metafile, Object.keys(metafile.inputs)).filter((f) => !first.includes(f));
  const out = [];
  for (const [name, files] of [["app", first], ["more", rest]]) {
    const result = await esbuild.build({
      ...options,
      stdin: { contents: files.map((f) => `@import ${JSON.stringify(f)};`).join("\n"), loader: "css", resolveDir: root, sourcefile: `${name}.css` },
      outdir: dist,
      entryNames: `assets/${name}-[hash]`,
      assetNames: "assets/[name]-[hash]",
      plugins: [fonts],
      metafile: true,
    });
    out.push(Object.keys(result.metafile.outputs).find((f) => f.endsWith(".css")));
  }
  return out;
}

// esbuild makes a file of each set of modules that the same pages need: fifty small ones for the first load. A page can only
// be loaded by the application, so each is told to need all of it; then the first load is one file.
const oneFirstFile = {
  name: "one-first-file",
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/]pages[\\/][^\\/]+\.tsx$/ }, async (args) => ({
      contents: `${await fs.promises.readFile(args.path, "utf8")}\nimport "../app/app";\n`,
      loader: "tsx",
    }));
  },
};

// Icons that nothing in the bundle names are left out: two thirds of them.
const icons = {
  name: "icons",
  setup(build) {
    build.onLoad({ filter: /icon[\\/]generated[\\/]icons\.js$/ }, async (args) => {
      const text = await fs.promises.readFile(args.path, "utf8");
      const named = await namesInUse();
      const contents = text.replace(/^    "?([a-z0-9-]+)"?: React\.createElement\([\s\S]*?(?=^    "?[a-z0-9-]+"?: React|^\};)/gm, (entry, name) => (named.has(name) ? entry : ""));
      return { contents, loader: "js" };
    });
  },
};

/** Every quoted word in what is bundled, but for the icons themselves. */
let inUse;
function namesInUse() {
  inUse ??= (async () => {
    const found = await esbuild.build({ ...options, entryPoints: FIRST, outdir: dist, write: false, metafile: true, splitting: true, plugins: [cssFiles, unused, noParser] });
    const words = new Set();
    for (const file of Object.keys(found.metafile.inputs)) {
      if (/icon[\\/]generated/.test(file) || !/\.(m?js|tsx?)$/.test(file) || file.includes(":")) continue;
      for (const m of (await fs.promises.readFile(path.resolve(root, file), "utf8")).matchAll(/["'`]([a-z0-9-]{3,40})["'`]/g)) words.add(m[1]);
    }
    return words;
  })();
  return inUse;
}

const options = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' },
  legalComments: "none",
  logLevel: "warning",
};

async function console_() {
  await fs.promises.rm(dist, { recursive: true, force: true });
  const result = await esbuild.build({
    ...options,
    entryPoints: { app: "src/main.tsx" },
    outdir: dist,
    splitting: true,
    metafile: true,
    entryNames: "assets/[name]-[hash]",
    chunkNames: "assets/[name]-[hash]",
    assetNames: "assets/[name]-[hash]",
    plugins: [cssFiles, i18n, unused, noParser, icons, oneFirstFile],
  });
  const outputs = Object.entries(result.metafile.outputs);
  const [css, more] = await styles(result.metafile);
  const entry = outputs.find(([, o]) => o.entryPoint === "src/main.tsx");
  const rel = (p) => path.relative("dist", p).split(path.sep).join("/");
  const html = (await fs.promises.readFile(path.join(root, "index.html"), "utf8"))
    .replace("%CSS%", rel(css))
    .replace("%MORE_CSS%", rel(more))
    .replace("%JS%", rel(entry[0]));
  await fs.promises.writeFile(path.join(dist, "index.html"), html);
  await fs.promises.copyFile(path.join(root, "favicon.svg"), path.join(dist, "favicon.svg"));
  // The licenses of what is bundled travel with it.
  await fs.promises.writeFile(path.join(dist, "licenses.txt"), await licenses(result.metafile));
  return { metafile: result.metafile, css };
}

async function licenses(metafile) {
  const packages = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const m = /^(?:[a-z-]+:)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (m) packages.add(path.resolve(root, m[1]));
  }
  let text = "The console of Berth contains the following packages.\n";
  for (const folder of [...packages].sort()) {
    const info = JSON.parse(await fs.promises.readFile(path.resolve(root, folder, "package.json"), "utf8"));
    if (!info.name || !info.version) continue;
    const file = (await fs.promises.readdir(path.resolve(root, folder))).find((f) => /^licen[sc]e/i.test(f));
    const words = file ? await fs.promises.readFile(path.resolve(root, folder, file), "utf8") : "";
    text += `\n${"-".repeat(80)}\n${info.name} ${info.version} (${typeof info.license === "string" ? info.license : "see below"})\n\n${words}`;
  }
  return text;
}

// Everything that the sign-in page and the list of repositories load.
function firstLoad({ metafile, css }) {
  const files = new Set([css]);
  const visit = (name) => {
    if (files.has(name)) return;
    files.add(name);
    const o = metafile.outputs[name];
    for (const i of o.imports) if (i.kind !== "dynamic-import" && metafile.outputs[i.path]) visit(i.path);
  };
  for (const [name, o] of Object.entries(metafile.outputs)) {
    if (FIRST.includes(o.entryPoint)) visit(name);
  }
  const fonts = fs.readdirSync(path.join(dist, "assets")).filter((f) => f.endsWith(".woff2"));
  return [...files, ...fonts.map((f) => `dist/assets/${f}`), "dist/index.html"];
}

function size(built) {
  const total = { raw: 0, gzip: 0, brotli: 0 };
  for (const name of firstLoad(built)) {
    const bytes = fs.readFileSync(path.join(root, name));
    const packed = name.endsWith(".woff2")
      ? { raw: bytes.length, gzip: bytes.length, brotli: bytes.length }
      : { raw: bytes.length, gzip: zlib.gzipSync(bytes, { level: 9 }).length, brotli: zlib.brotliCompressSync(bytes).length };
    for (const k of Object.keys(total)) total[k] += packed[k];
    console.log(`${String(packed.raw).padStart(9)} ${String(packed.gzip).padStart(8)} ${String(packed.brotli).padStart(8)}  ${name}`);
  }
  console.log(`${String(total.raw).padStart(9)} ${String(total.gzip).padStart(8)} ${String(total.brotli).padStart(8)}  first load: bytes, gzip, brotli`);
  if (total.gzip > FIRST_LOAD_LIMIT) {
    console.error(`the first load is larger than ${FIRST_LOAD_LIMIT} bytes`);
    process.exitCode = 1;
  }
}

async function tests() {
  const entries = (await fs.promises.readdir(path.join(root, "test"))).filter((f) => f.endsWith(".test.ts"));
  await fs.promises.rm(path.join(root, "dist-test"), { recursive: true, force: true });
  await esbuild.build({
    ...options,
    minify: false,
    platform: "node",
    target: "node18",
    entryPoints: entries.map((f) => `test/${f}`),
    outdir: "dist-test",
    outExtension: { ".js": ".mjs" },
  });
}

if (process.argv.includes("--tests")) await tests();
else {
  const built = await console_();
  if (process.argv.includes("--size")) size(built);
  if (process.argv.includes("--meta")) fs.writeFileSync("meta.json", JSON.stringify(built.metafile));
}
