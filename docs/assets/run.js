// Lets readers run the Python blocks of a page, and edit them. Nothing of Python is loaded before.
(() => {
  const { alone, lacking, aside, reads, megabytes } = JSON.parse(document.getElementById("run").textContent);
  const here = document.currentScript.src;
  const REPORT = /^array +shape .*(?:\n.+)*/m; // as executed.reports marks it
  const DRAWS = /\b(matplotlib|backproof\.plots)\b/;

  const figures = new Map([...document.querySelectorAll("[data-figure]")].map((shown) =>
    [shown.dataset.figure, { shown, before: shown.dataset.data ?? shown.innerHTML }]));
  const blocks = [...document.querySelectorAll(".language-python.highlight:not(.doc-signature)")]
    .map(described);
  const wrongLines = window.Highlight && CSS.highlights.set("wrong", new Highlight()).get("wrong");

  let worker; // it is started by the first run, and anew after a stop
  let ran = new Map(); // the numbers of the blocks that its program has run, with their code
  let running; // the block that was asked for, while it runs
  let finish; // what it waits for
  let isLoaded = false;

  function described(shown, number) {
    const code = shown.querySelector("code");
    const next = shown.nextElementSibling;
    const output = next?.matches(".language-text, .output") ? next : null;
    const before = { source: code.textContent, code: code.innerHTML, output: output?.cloneNode(true) };
    return { shown, number, code, output, before };
  }

  // Where it cannot run, a sentence says why, once.
  function obstacle() {
    if (location.protocol === "file:") return "From a web server, not from disk, the examples here can be run and changed.";
    let modules = false;
    try {
      new Worker("data:text/javascript,", { get type() { modules = true; return "module"; } }).terminate();
    } catch {} // what matters is whether it asked
    return modules && window.WebAssembly ? "" : "A newer browser can run the examples here, and lets you change them.";
  }

  function setUp(block) {
    const bar = document.createElement("div");
    bar.className = "run";
    block.shown.append(bar);
    if (lacking[block.number]) {
      bar.textContent = `Not run here: needs ${lacking[block.number]}.`;
      return;
    }
    bar.innerHTML = `<button type="button"></button> <span role="status"></span>
      <button type="button" hidden>Reset</button>`;
    [block.button, block.reset] = bar.querySelectorAll("button");
    block.status = bar.querySelector("span");
    block.button.onclick = () => (running ? finish?.({ stopped: true }) : run(block));
    block.reset.onclick = () => reset(block);
    block.code.addEventListener("keydown", (event) => typed(event, block));
    block.code.addEventListener("input", () => { block.reset.hidden = false; });
    makeEditable(block);
    label(block);
  }

  function makeEditable({ code, number }) {
    try {
      code.contentEditable = "plaintext-only";
    } catch {
      return; // an older Firefox
    }
    const said = { role: "textbox", "aria-multiline": "true", spellcheck: "false", autocapitalize: "off" };
    said["aria-label"] = `Python block ${number + 1} of ${blocks.length}`;
    for (const [name, value] of Object.entries(said)) code.setAttribute(name, value);
  }

  function label(block) {
    const draws = upTo(block).some(({ code }) => DRAWS.test(code.textContent));
    const run = isLoaded ? "Run" : `Run (loads ${megabytes[+draws]} MB once)`;
    block.button.textContent = block === running ? "Stop" : run;
  }

  // What it takes to run a block: those above it, too, where the page is one program,
  // all but pictures of which the blocks below use nothing.
  function upTo({ number }) {
    const above = blocks.slice(alone ? number : 0, number + 1);
    const isUsed = (name, one) => above.slice(one.number + 1)
      .some(({ code }) => new RegExp(`\\b${name}\\b`).test(code.textContent));
    return above.filter((one) => one.number === number
      || !aside[one.number] || aside[one.number].some((name) => isUsed(name, one)));
  }

  function typed(event, block) {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) {
      if (!running) run(block);
      return;
    }
    const before = document.createRange();
    before.selectNodeContents(block.code);
    before.setEnd(getSelection().getRangeAt(0).startContainer, getSelection().getRangeAt(0).startOffset);
    const [line] = before.toString().match(/[^\n]*$/);
    const indent = line.match(/^ */)[0] + (/:\s*$/.test(line) ? "    " : "");
    document.execCommand("insertText", false, `\n${indent}`);
  }

  // Running

  async function run(block) {
    begin(block);
    const sources = blocks.map(({ code }) => code.textContent);
    const isAsItRan = [...ran].every(([number, source]) => source === sources[number]);
    if (!isAsItRan || Math.max(...ran.keys()) >= block.number) ran.clear();
    for (const one of upTo(block).filter(({ number }) => !ran.has(number))) {
      const answer = await send({ code: sources[one.number], name: `block ${one.number + 1}` });
      if (answer.stopped || answer.failed) {
        forget();
        say(block, answer.stopped ? "Stopped." : `Python failed here: ${answer.failed}`);
        break;
      }
      show(one, answer);
      ran.set(one.number, sources[one.number]);
      if (!answer.line) continue;
      ran.clear(); // it left its work half done
      if (one !== block) say(block, `Block ${one.number + 1} above raised an error.`);
      break;
    }
    if (alone) ran.clear();
    end();
  }

  function begin(block) {
    running = block;
    for (const other of blocks) if (other.button) other.button.disabled = other !== block;
    say(block, worker ? "Running…" : "Loading Python…");
    block.output?.setAttribute("aria-busy", "true"); // it is not that of the code as it is now
    label(block);
  }

  function end() {
    running.output?.removeAttribute("aria-busy");
    running = undefined;
    for (const block of blocks.filter(({ button }) => button)) {
      block.button.disabled = false;
      label(block);
    }
  }

  async function send(message) {
    if (!worker) {
      worker = new Worker(new URL("python/worker.js", here), { type: "module" });
      worker.onmessage = ({ data }) => finish(data);
      worker.onerror = ({ message: failed }) => finish({ failed: failed || "its files did not load." });
    }
    const answer = await new Promise((resolve) => {
      finish = resolve;
      worker.postMessage({ ...message, isNew: !ran.size, reads, figures: [...figures.keys()] });
    });
    isLoaded ||= !answer.failed && !answer.stopped;
    return answer;
  }

  function forget() {
    worker?.terminate();
    worker = undefined;
    ran.clear();
  }

  // Showing

  function say({ status }, text) {
    status.textContent = text;
  }

  function show(block, { printed, html, line, drawn }) {
    const expected = textOf(block.before.output);
    if (html) print(block, "output", html);
    else if (printed || block.output) print(block, "language-text highlight", printed);
    for (const [name, svg] of Object.entries(drawn)) redraw(figures.get(name), svg);
    mark(block, line);
    block.reset.hidden = false;
    const now = html ? textOf(block.output) : plain(printed);
    const isSame = now === expected;
    const isEdited = block.code.textContent !== block.before.source;
    const differs = isEdited ? "It ran with your changes." : "This differs from what was shown.";
    const compared = isSame ? "The same as shown." : differs;
    const ended = expected ? compared : now ? "It ran." : "It ran, and prints nothing.";
    say(block, line ? `An error in line ${line}.` : ended);
  }

  const plain = (text) => text.replace(/\s+/g, " ").trim();

  function textOf(output) {
    const shown = output?.querySelector("code") ?? output;
    return plain(shown?.textContent ?? "");
  }

  function print(block, kind, content) {
    if (!block.output) {
      block.output = document.createElement("div");
      block.shown.after(block.output);
    }
    block.output.className = kind;
    if (kind === "output") {
      block.output.innerHTML = content;
      return;
    }
    block.output.innerHTML = `<span class="filename">Output</span><pre><code></code></pre>`;
    const code = block.output.querySelector("code");
    const [table] = content.match(REPORT) ?? [""];
    const [above, below] = table ? content.split(table) : [content, ""];
    const rows = Object.assign(document.createElement("span"), { className: "report-table", textContent: table });
    code.append(above, ...(table ? [rows] : []), below);
    if (code.scrollWidth > code.clientWidth) code.tabIndex = 0; // so that arrow keys scroll it
  }

  function redraw({ shown }, svg) {
    if (shown.matches(".movable")) {
      shown.dispatchEvent(new CustomEvent("data", { detail: svg }));
      return;
    }
    const label = shown.querySelector("svg").getAttribute("aria-label");
    shown.innerHTML = svg;
    const drawing = shown.querySelector("svg");
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", label);
  }

  function mark(block, line) {
    if (block.wrong) wrongLines?.delete(block.wrong);
    block.wrong = line && rangeOf(block.code, line);
    if (block.wrong) wrongLines?.add(block.wrong);
  }

  // The characters of a line, wherever the highlighting has cut it.
  function rangeOf(code, line) {
    const lines = code.textContent.split("\n");
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1);
    const range = document.createRange();
    const end = start + lines[line - 1].length;
    const texts = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    for (let at = 0; texts.nextNode(); at += texts.currentNode.length) {
      const { currentNode: text } = texts;
      if (at <= start && start <= at + text.length) range.setStart(text, start - at);
      if (at <= end && end <= at + text.length) { range.setEnd(text, end - at); break; }
    }
    return range;
  }

  function reset(block) {
    mark(block);
    block.code.innerHTML = block.before.code;
    const output = block.before.output?.cloneNode(true);
    if (output) block.output.replaceWith(output);
    else block.output?.remove();
    block.output = output;
    for (const figure of figures.values()) redraw(figure, figure.before);
    block.reset.hidden = true;
    say(block, "");
  }

  const why = obstacle();
  if (!why) blocks.forEach(setUp);
  else if (blocks.length) {
    document.documentElement.dataset.run = "none";
    blocks[0].shown.insertAdjacentHTML("beforebegin", "<p class='run-not'></p>");
    blocks[0].shown.previousElementSibling.textContent = why;
  }
})();
