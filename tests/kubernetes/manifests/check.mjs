// Checks the manifests under k8s/ without a cluster. Every overlay with every combination of
// components must render, have no unknown field and no invalid value, and comply with the rules in
// rules.mjs. Then the script breaks the manifests on purpose in many ways, and fails if a defect
// goes undetected. `./dev lint manifests` runs it:
//
//   node check.mjs KUSTOMIZE MODULES WORK
//
// MODULES is a folder with the npm packages, and WORK a folder below it for temporary files.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { brokenRules, schemaBreaks, ruleBreaks } from "./rules.mjs";

const [kustomize, modules, work] = process.argv.slice(2).map((path) => resolve(path));
const repository = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const require = createRequire(join(modules, "package.json"));
const yaml = require("yaml");
// Node.js resolves modules relative to the importing file.
writeFileSync(join(modules, "load.mjs"), "export const load = (name) => import(name);\n");
const { load } = await import(pathToFileURL(join(modules, "load.mjs")));

let failures = 0;
function fail(text) {
  console.log(text);
  failures++;
}

// --- Rendering

const k8s = join(repository, "k8s");
const components = readdirSync(join(k8s, "components")).sort();
const subsets = components.reduce((sets, one) => sets.concat(sets.map((set) => [...set, one])), [[]]);

function render(name, resources, parts) {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  const from = (path) => relative(folder, path);
  writeFileSync(join(folder, "kustomization.yaml"), yaml.stringify({
    resources: resources.map(from),
    components: parts.map(from),
  }));
  const text = execFileSync(kustomize, ["build", folder], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  return yaml.parseAllDocuments(text).map((document) => document.toJS());
}

// The objects of each combination, by its name.
const renderings = new Map();
function tryRender(name, resources, parts) {
  try {
    renderings.set(name, render(name, resources, parts));
  } catch (error) {
    fail(`${name}: does not render: ${error.stderr ?? error}`);
  }
}

rmSync(work, { recursive: true, force: true });
for (const overlay of ["base", "overlays/demo"]) {
  for (const parts of subsets) {
    tryRender([overlay.replace("/", "-"), ...parts].join("+"), [join(k8s, overlay)],
      parts.map((part) => join(k8s, "components", part)));
  }
}
tryRender("overlays-production", [join(k8s, "overlays/production")], []);
// The documentation's examples, which cannot be installed.
const samples = readFileSync(join(repository, "docs/kubernetes.md"), "utf8").matchAll(/^```yaml\n(.*?)^```$/gms);
renderings.set("docs/kubernetes.md", [...samples].map(([, text]) => yaml.parse(text)));
// The cluster test's patch for old clusters uses a removed API, so it is only rendered.
render("old-cluster", [join(k8s, "overlays/demo")], [join(repository, "tests/kubernetes/old-cluster")]);

// --- Fields, types and formats

const packages = {
  "cert-manager.io": "@kubernetes-models/cert-manager",
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
};
function modelPath(object) {
  const group = object.apiVersion.includes("/") ? object.apiVersion.split("/")[0] : "";
  return `${packages[group] ?? "kubernetes-models"}/${object.apiVersion}/${object.kind}`;
}

// The class for an object's kind; undefined if there is no such kind.
async function modelOf(object) {
  try {
    return (await load(modelPath(object)))[object.kind];
  } catch {
    return undefined;
  }
}

// Checks values: enums, quantities, required fields.
async function badForm(object) {
  const Model = await modelOf(object);
  if (!Model) return `${object.apiVersion} ${object.kind}: no such kind`;
  try {
    new Model(object).validate();
  } catch (error) {
    return error.message;
  }
}

// Checks fields: each object becomes a program that assigns it to its type, and the compiler checks
// all of them at once. Returns the errors by program name.
function badFields(programs) {
  const folder = join(work, "typed");
  mkdirSync(folder, { recursive: true });
  for (const [name, object] of programs) {
    writeFileSync(join(folder, name + ".mts"),
      `import type { I${object.kind} } from "${modelPath(object)}";\n` +
      `export const object: I${object.kind} = ${JSON.stringify(object, null, 1)};\n`);
  }
  const complaints = new Map();
  try {
    execFileSync(process.execPath, [require.resolve("typescript/bin/tsc"), "--noEmit", "--strict", "--skipLibCheck",
      "--target", "es2022", "--module", "node16", "--moduleResolution", "node16", "--pretty", "false",
      ...[...programs.keys()].map((name) => join(folder, name + ".mts"))], { cwd: folder, encoding: "utf8" });
  } catch (error) {
    for (const line of error.stdout.split("\n")) {
      const found = /^(.*)\.mts\(\d+,\d+\): error TS\d+: (.*)$/.exec(line);
      if (found) complaints.set(found[1], [...(complaints.get(found[1]) ?? []), found[2]]);
    }
    if (complaints.size === 0) throw error;
  }
  return complaints;
}

const programs = new Map();
const whose = new Map();
const distinct = new Map();
for (const [name, objects] of renderings) {
  for (const object of objects) {
    const text = JSON.stringify(object);
    const title = `${name}: ${object.kind} ${object.metadata.name}`;
    if (distinct.has(text)) continue;
    distinct.set(text, title);
    const problem = await badForm(object);
    if (problem) fail(`${title}: ${problem}`);
    const program = `object${programs.size}`;
    programs.set(program, object);
    whose.set(program, title);
  }
  if (name.startsWith("docs/")) continue;
  for (const problem of brokenRules(objects, name.startsWith("overlays") && !name.includes("+"))) {
    fail(`${name}: ${problem}`);
  }
}

// --- Defects made on purpose

function copyOf(rendering, change) {
  const objects = structuredClone(renderings.get(rendering));
  const find = (kind, name = "rollcalld") =>
    objects.find((object) => object.kind === kind && object.metadata.name.startsWith(name));
  change(find, objects);
  return objects;
}

const expected = new Map();
if (failures === 0) {
  for (const [what, rendering, kind, change] of schemaBreaks) {
    let object;
    copyOf(rendering, (find) => change((object = find(kind))));
    const program = `broken${expected.size}`;
    expected.set(program, { what, seen: Boolean(await badForm(object)) });
    if (await modelOf(object)) programs.set(program, object);
  }
  for (const [what, rendering, change] of ruleBreaks) {
    if (brokenRules(copyOf(rendering, change), true).length === 0) fail(`goes unseen: ${what}`);
  }
}

const complaints = badFields(programs);
for (const [program, lines] of complaints) {
  if (whose.has(program)) fail(`${whose.get(program)}: ${lines.join("; ")}`);
}
for (const [program, { what, seen }] of expected) {
  if (!seen && !complaints.has(program)) fail(`goes unseen: ${what}`);
}

console.log(`${renderings.size} combinations, ${distinct.size} distinct objects; ` +
  `${schemaBreaks.length + ruleBreaks.length} ways to break them`);
process.exit(failures ? 1 : 0);
