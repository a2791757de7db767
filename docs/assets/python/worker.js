// Runs blocks beside the page: Python, NumPy and the library, all from this folder.
import { loadPyodide } from "./pyodide.mjs";

let program;

// Pyodide itself waits for ever for a file that does not come.
async function fetched(name, method = "GET") {
  const answer = await fetch(new URL(name, import.meta.url), { method });
  if (!answer.ok) throw new Error(`${name}: ${answer.statusText}`);
  return answer.arrayBuffer();
}

async function begin() {
  const files = [fetched("executed.zip"), fetched("pyodide.asm.wasm", "HEAD")];
  const [python, engine] = await Promise.all([loadPyodide(), ...files]);
  await load(python, "loadPackage", "backproof");
  python.unpackArchive(engine, "zip", { extractDir: "engine" });
  python.runPython("import sys; sys.path.append('engine')");
  return { python, kernel: python.pyimport("executed.kernel") };
}

async function load(python, how, what) {
  const problems = [];
  await python[how](what, { messageCallback() {}, errorCallback: (text) => problems.push(text) });
  if (problems.length) throw new Error(problems.join(" "));
}

// What a page reads of the repository stands beside it.
async function read({ FS }, path) {
  const content = await fetched(path.replace(/^docs\//, "../../"));
  FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
  FS.writeFile(path, new Uint8Array(content));
}

async function answer({ reads, isNew, code, name, figures }) {
  const { python, kernel } = await begun;
  if (isNew) await Promise.all(reads.map((path) => read(python, path)));
  await load(python, "loadPackagesFromImports", code);
  if (isNew) program = kernel.Program();
  const plain = { dict_converter: Object.fromEntries };
  const outcome = program.run(code, name).toJs(plain);
  return { ...outcome, drawn: outcome.line ? {} : program.drawn(figures).toJs(plain) };
}

const begun = begin();
let turn = begun;
self.onmessage = ({ data }) => {
  const failed = (error) => postMessage({ failed: error.message ?? String(error) });
  turn = turn.then(() => answer(data)).then(postMessage, failed);
};
