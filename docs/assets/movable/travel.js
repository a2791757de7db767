// A mistake that travels through a backward pass: which arrays it makes wrong, and by what factor.
// What a check says of each mistake was computed by the page's Python; here it is drawn.
(() => {
  const { figures, options, path, select } = Plot;
  const BOX = { width: 62, height: 46 };
  const PLACES = Object.fromEntries([3, 2, 1].flatMap((layer, column) => [
    [`dZ${layer}`, [74 + 147 * column, 28]],
    [`dW${layer}`, [39 + 147 * column, 130]],
    [`db${layer}`, [109 + 147 * column, 130]],
  ]));
  const ARROWS = [3, 2, 1].flatMap((layer) => [`dW${layer}`, `db${layer}`, `dZ${layer - 1}`]
    .filter((to) => to in PLACES).map((to) => [`dZ${layer}`, to]));
  const STRIDE = 11; // guesses come in an order that jumps from line to line

  function arrow(from, to) {
    const [[x0, y0], [x1, y1]] = [PLACES[from], PLACES[to]];
    const isLevel = y0 === y1;
    const start = isLevel ? [x0 + BOX.width / 2, y0] : [x0, y0 + BOX.height / 2];
    const end = isLevel ? [x1 - BOX.width / 2, y1] : [x1, y1 - BOX.height / 2];
    const turn = Math.atan2(end[1] - start[1], end[0] - start[0]) * 180 / Math.PI;
    return `<g class="arrow">${path([start, end])}</g>
      <path class="head" transform="translate(${end}) rotate(${turn})" d="M0 0L-8 -4V4Z"/>`;
  }

  function box(name, mark) {
    const [x, y] = PLACES[name];
    return `<g class="box ${mark ? "series-1" : ""}">
      <rect x="${x - BOX.width / 2}" y="${y - BOX.height / 2}" width="${BOX.width}" height="${BOX.height}"/>
      <text x="${x}" y="${y + (mark ? -3 : 5)}">${name}</text>
      ${mark ? `<text x="${x}" y="${y + 14}">${mark}</text>` : ""}</g>`;
  }

  function drawing(marks) {
    return ARROWS.map(([from, to]) => arrow(from, to)).join("") +
      Object.keys(PLACES).map((name) => box(name, marks[name])).join("");
  }

  // What a check sees: no gradient at the output of a layer.
  const seen = (marks) => Object.fromEntries(Object.entries(marks).filter(([name]) => !name.startsWith("dZ")));

  const code = (name, line) => `<code>${name} = ${line.replace(">", "&gt;")}</code>`;

  const reached = (marks) => Object.keys(seen(marks)).map((name) => name.slice(1)).join(", ");

  function watch(holder, { lines, cases }) {
    const names = Object.keys(lines);
    const written = names.map((name) => `${name} = ${lines[name]}`);
    holder.innerHTML = `
      ${select("Line", written, names)}
      ${select("Mistake", [])}
      <svg role="img" viewBox="0 0 442 158"></svg>
      <output></output>`;
    const [line, mistake] = holder.querySelectorAll("select");

    function draw() {
      const { line: changed, marks, said } = cases[line.value][mistake.value];
      holder.querySelector("svg").innerHTML = drawing(marks);
      holder.querySelector("output").innerHTML = `${code(line.value, changed)}<br>${said}`;
    }
    function choose() {
      mistake.innerHTML = options(Object.keys(cases[line.value]));
      draw();
    }

    line.addEventListener("input", choose);
    mistake.addEventListener("input", draw);
    line.value = "dZ2";
    choose();
  }

  function guess(holder, { lines, cases }) {
    const names = Object.keys(lines);
    const all = names.flatMap((name) => Object.entries(cases[name]).map(([text, one]) => ({ name, text, ...one })));
    let at = STRIDE;
    holder.innerHTML = `
      <svg role="img" viewBox="0 0 442 158"></svg>
      ${select("Line", ["which one?", ...names], ["", ...names])}
      <output></output>
      <button type="button">Another one</button>`;
    const [line, output, figure] = ["select", "output", "svg"].map((part) => holder.querySelector(part));

    function ask() {
      const { marks, said } = all[at % all.length];
      line.value = "";
      figure.innerHTML = drawing(seen(marks));
      output.textContent = said;
    }
    function answer() {
      const { name, text, line: changed, marks, said } = all[at % all.length];
      if (line.value === name) {
        figure.innerHTML = drawing(marks);
        output.innerHTML = `Yes: ${text}.<br>${code(name, changed)}`;
      } else if (line.value) {
        const [other] = Object.values(cases[line.value]);
        output.textContent = `No: from ${line.value}, it would reach ${reached(other.marks)}.`;
      } else output.textContent = said;
    }

    line.addEventListener("input", answer);
    holder.querySelector("button").addEventListener("click", () => { at += STRIDE; ask(); });
    ask();
  }

  figures("travel", (holder, data, label) => {
    (data.mode === "guess" ? guess : watch)(holder, data);
    holder.querySelector("svg").setAttribute("aria-label", label);
  });
})();
