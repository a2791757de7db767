// The figure to move: the error of a central difference against its step.
// The costs were computed by the page's Python. What follows from them is computed here, and
// rounded after each operation as NumPy does, so that both come to the same numbers.
(() => {
  const ROUNDED = { float64: (x) => x, float32: Math.fround };
  const SHAPES = { float64: "●", float32: "■" };
  const ROWS = ["f(x + h)", "f(x − h)", "slope", "error", "error stated"];

  // The plot: its edges in the drawing, and the powers of ten at these edges.
  const [LEFT, RIGHT, TOP, BOTTOM] = [52, 394, 10, 240];
  const [LEAST_STEP, MOST_STEP, LEAST_ERROR, MOST_ERROR] = [-15, 0, -16, 4];

  function measure(steps, { x, slope, ...costs }, precision) {
    const rounded = ROUNDED[precision];
    const { plus, minus, stated } = costs[precision];
    const start = rounded(x);
    return steps.map(rounded).map((h, i) => {
      const [f, g] = [rounded(plus[i]), rounded(minus[i])];
      const distance = rounded(rounded(start + h) - rounded(start - h));
      const quotient = rounded(rounded(f - g) / distance);
      return { precision, h, f, g, quotient, error: Math.abs(quotient - slope), stated };
    });
  }

  // As few digits as tell a number from its neighbours.
  function shortest(x, precision) {
    if (precision === "float64" || Number.isNaN(x)) return String(x);
    let digits = 1;
    while (Math.fround(x.toPrecision(digits)) !== x) digits++;
    return String(Number(x.toPrecision(digits)));
  }

  // In two digits.
  const brief = (x) => (x === 0 ? "0" : x.toExponential(1));
  const across = (step) => place(step, LEAST_STEP, MOST_STEP, LEFT, RIGHT);
  const up = (error) => place(error, LEAST_ERROR, MOST_ERROR, BOTTOM, TOP);

  function place(x, least, most, start, end) {
    const power = Math.min(Math.max(Math.log10(x), least), most);
    return start + ((power - least) / (most - least)) * (end - start);
  }

  function powers(least, most, every) {
    const count = Math.floor((most - least) / every) + 1;
    return Array.from({ length: count }, (_, i) => least + i * every);
  }

  const ten = (power) =>
    power ? `10<tspan dy="-5" font-size="70%">${String(power).replace("-", "−")}</tspan>` : "1";

  function frame() {
    const columns = powers(LEAST_STEP, MOST_STEP, 3).map((power) => {
      const x = across(10 ** power);
      return `<path d="M${x} ${TOP}V${BOTTOM}"/><text x="${x}" y="${BOTTOM + 18}">${ten(power)}</text>`;
    });
    const rows = powers(LEAST_ERROR, MOST_ERROR, 4).map((power) => {
      const y = up(10 ** power);
      return `<path d="M${LEFT} ${y}H${RIGHT}"/>
        <text x="${LEFT - 6}" y="${y + 5}" class="end">${ten(power)}</text>`;
    });
    return `<g class="frame">${columns.join("")}${rows.join("")}
      <text x="${(LEFT + RIGHT) / 2}" y="${BOTTOM + 38}">step h</text>
      <text transform="translate(11 ${(TOP + BOTTOM) / 2}) rotate(-90)">error of the slope</text></g>`;
  }

  function mark({ precision, h, error }, size) {
    if (Number.isNaN(error)) return "";
    const [x, y] = [across(h), up(error)];
    return precision === "float64"
      ? `<circle cx="${x}" cy="${y}" r="${size}"/>`
      : `<rect x="${x - size}" y="${y - size}" width="${2 * size}" height="${2 * size}"/>`;
  }

  function curve(points) {
    const [{ precision, stated }] = points;
    const y = up(stated);
    return `<g class="${precision}"><path d="M${LEFT} ${y}H${RIGHT}"/>
      <text x="${RIGHT + 6}" y="${y + 5}" class="start">stated</text>
      ${points.map((point) => mark(point, 1.8)).join("")}</g>`;
  }

  const said = ({ precision, error }) =>
    Number.isNaN(error)
      ? `no slope in ${precision}, as x + h is x`
      : `error ${brief(error)} in ${precision}`;

  function cells({ precision, f, g, quotient, error, stated }) {
    const exact = [f, g, quotient].map((x) => shortest(x, precision));
    return [...exact, brief(error), brief(stated)].map((text) => text.replace("NaN", "none"));
  }

  function table(now) {
    const columns = now.map(cells);
    const heads = now.map(({ precision: p }) => `<th class="${p}" scope="col">${SHAPES[p]} ${p}</th>`);
    const rows = ROWS.map((name, i) => {
      const numbers = columns.map((column) => `<td>${column[i]}</td>`);
      return `<tr><th scope="row">${name}</th>${numbers.join("")}</tr>`;
    });
    return `<tr><td></td>${heads.join("")}</tr>${rows.join("")}`;
  }

  function build(holder) {
    const { steps, functions } = JSON.parse(holder.querySelector("script").textContent);
    const label = holder.querySelector("noscript").textContent;
    holder.innerHTML = `
      <label>Function <select autocomplete="off">
        ${Object.keys(functions).map((name) => `<option>${name}</option>`).join("")}
      </select></label>
      <svg role="img" viewBox="0 0 442 288">${frame()}<g></g><g></g></svg>
      <label>Step <input type="range" autocomplete="off" max="${steps.length - 1}"></label>
      <output></output>
      <table class="numbers"></table>`;
    const [choice, slider] = holder.querySelectorAll("select, input");
    const [curves, marks] = holder.querySelectorAll("svg > g:not(.frame)");
    holder.querySelector("svg").setAttribute("aria-label", label);
    slider.value = steps.indexOf(1e-7);
    let measured;

    function choose() {
      const chosen = functions[choice.value];
      measured = Object.keys(ROUNDED).map((precision) => measure(steps, chosen, precision));
      curves.innerHTML = measured.map(curve).join("");
      move();
    }

    function move() {
      const h = steps[slider.value];
      const now = measured.map((points) => points[slider.value]);
      const marked = now.map((point) => `<g class="${point.precision}">${mark(point, 5)}</g>`);
      slider.setAttribute("aria-valuetext", h.toExponential());
      marks.innerHTML = `<path class="now" d="M${across(h)} ${TOP}V${BOTTOM}"/>${marked.join("")}`;
      holder.querySelector("output").textContent = `h = ${h.toExponential()}: ${now.map(said).join(", ")}.`;
      holder.querySelector("table").innerHTML = table(now);
    }

    choice.addEventListener("input", choose);
    slider.addEventListener("input", move);
    choose();
    holder.classList.add("built");
  }

  document.querySelectorAll(".movable").forEach(build);
})();
