// The error of a difference quotient against its step, and the chord that it is the slope of.
// The costs were computed by the page's Python. What follows from them is computed here, and
// rounded after each operation as NumPy does, so that both come to the same numbers.
(() => {
  const { brief, clipped, curve, figures, frame, linear, logarithmic, path, powers, select } = Plot;
  const ROUNDED = { float64: (x) => x, float32: Math.fround };
  const EPSILON = { float64: 2 ** -52, float32: 2 ** -23 };
  const SHAPES = { float64: "●", float32: "■" };

  const ERRORS = { left: 64, right: 392, top: 10, bottom: 250 };
  const CHORD = { left: 64, right: 392, top: 10, bottom: 150 };
  // An error of 0 has no place on a logarithmic scale: it stands at the edge, which says so.
  const across = logarithmic([-15, 0], [ERRORS.left, ERRORS.right]);
  const level = linear([-18, 4], [ERRORS.bottom, ERRORS.top]);
  const up = (error) => level(Math.max(Math.log10(error), -18));
  const STEPS = { across: powers(-15, 0, 3), up: [[1e-18, "0"], ...powers(-16, 4, 4)] };

  function measure(steps, { x, derivatives, ...costs }, precision, { isForward, isTaken }) {
    const rounded = ROUNDED[precision];
    const { at, plus, minus } = costs[precision];
    const start = rounded(x);
    return steps.map(rounded).map((h, i) => {
      const [f, g] = [rounded(plus[i]), rounded(isForward ? at : minus[i])];
      const taken = rounded(rounded(start + h) - (isForward ? start : rounded(start - h)));
      const quotient = rounded(rounded(f - g) / (isTaken ? taken : isForward ? h : 2 * h));
      return { precision, h, f, g, quotient, error: Math.abs(quotient - derivatives[0]) };
    });
  }

  // What the two errors come to by theory, as the page derives them, at a step.
  function theory({ derivatives: [, second, third], ...costs }, precision, isForward) {
    const roundoff = EPSILON[precision] * Math.abs(costs[precision].at) * (isForward ? 2 : 1);
    return {
      truncation: (h) => (isForward ? (h / 2) * Math.abs(second) : (h ** 2 / 6) * Math.abs(third)),
      roundoff: (h) => roundoff / h,
    };
  }

  // As few digits as tell a number from its neighbours.
  function shortest(x, precision) {
    if (precision === "float64" || Number.isNaN(x)) return String(x);
    let digits = 1;
    while (Math.fround(x.toPrecision(digits)) !== x) digits++;
    return String(Number(x.toPrecision(digits)));
  }

  function mark({ precision, h, error }, size) {
    if (Number.isNaN(error)) return "";
    const [x, y] = [across(h), up(error)];
    return precision === "float64"
      ? `<circle cx="${x}" cy="${y}" r="${size}"/>`
      : `<rect x="${x - size}" y="${y - size}" width="${2 * size}" height="${2 * size}"/>`;
  }

  function errors(points, chosen, isForward) {
    const [{ precision }] = points;
    const { truncation, roundoff } = theory(chosen, precision, isForward);
    const { value, error } = chosen[precision].library;
    const ends = [1e-15, 1];
    const lines = [truncation, roundoff].map((line) => line(1) > 0
      ? path(ends.map((h) => [across(h), level(Math.log10(line(h)))]))
      : "");
    const drawn = points.filter((point) => !Number.isNaN(point.error));
    const measured = drawn.length ? path(drawn.map((point) => [across(point.h), up(point.error)])) : "";
    return `<g class="${precision}">
      <g class="theory">${clipped(ERRORS, lines.join(""))}</g>
      <g class="curve">${measured}</g>
      <g class="bound"><path d="M${ERRORS.left} ${up(error)}H${ERRORS.right}"/>
        <text x="${ERRORS.right + 6}" y="${up(error) + 5}" class="start">bound</text>
        <text x="${ERRORS.right - 8}" y="${up(Math.abs(value - chosen.derivatives[0])) + 5}">★</text></g>
      ${points.map((point) => mark(point, 1.8)).join("")}</g>`;
  }

  function chord({ x, curve: wide, derivatives }, { h, f, g, quotient }, isForward) {
    const { x: places, y: values } = wide;
    const ends = [places[0], places.at(-1)];
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const room = (high - low) / 10;
    const right = linear(ends, [CHORD.left, CHORD.right]);
    const above = linear([low - room, high + room], [CHORD.bottom, CHORD.top]);
    const line = (at, slope, height) => path(ends.map((end) => [right(end), above(height + slope * (end - at))]));
    const middle = isForward ? x + h / 2 : x;
    const now = Number.isNaN(quotient) ? "" : line(middle, quotient, (f + g) / 2);
    const points = [[x + h, f], [isForward ? x : x - h, g]].map(
      ([at, height]) => `<circle cx="${right(at)}" cy="${above(height)}" r="4"/>`);
    const center = places[Math.floor(places.length / 2)];
    const value = values[Math.floor(values.length / 2)];
    const ticks = { across: [ends[0], x, ends[1]].map((at) => [at, String(Number(at.toPrecision(3)))]), up: [] };
    return `${frame(CHORD, right, above, ticks, ["x", "f(x)"])}${clipped(CHORD,
      `${curve(wide, right, above)}
       <g class="tangent">${line(center, derivatives[0], value)}</g>
       <g class="float64 chord">${now}${points.join("")}</g>`)}`;
  }

  const said = ({ precision, error }) =>
    Number.isNaN(error)
      ? `no slope in ${precision}, as x + h is x`
      : `error ${brief(error)} in ${precision}`;

  function table(now, chosen, isForward) {
    const heads = now.map(({ precision: p }) => `<th class="${p}" scope="col">${SHAPES[p]} ${p}</th>`);
    const names = ["f(x + h)", isForward ? "f(x)" : "f(x − h)", "slope", "error", "library: error", "library: bound"];
    const columns = now.map(({ precision, f, g, quotient, error }) => {
      const { value, error: bound } = chosen[precision].library;
      const errors = [error, Math.abs(value - chosen.derivatives[0]), bound];
      return [...[f, g, quotient].map((x) => shortest(x, precision)), ...errors.map(brief)];
    });
    const rows = names.map((name, i) => {
      const cells = columns.map((column) => `<td>${column[i].replace("NaN", "none")}</td>`);
      return `<tr><th scope="row">${name}</th>${cells.join("")}</tr>`;
    });
    return `<tr><td></td>${heads.join("")}</tr>${rows.join("")}`;
  }

  function make(holder, { steps, functions }, label) {
    holder.innerHTML = `
      ${select("Function", Object.keys(functions))}
      ${select("Difference", ["central", "forward"])}
      <label class="switch"><input type="checkbox" autocomplete="off"> divide by the step really taken</label>
      <svg class="function-plot" aria-hidden="true" viewBox="0 0 442 190"></svg>
      <svg class="errors-plot" role="img" viewBox="0 0 442 298">
        ${frame(ERRORS, across, up, STEPS, ["step h", "error of the slope"])}<g></g><g></g></svg>
      <label>Step <input type="range" autocomplete="off" max="${steps.length - 1}"></label>
      <output></output>
      <table class="numbers"></table>`;
    const [choice, difference] = holder.querySelectorAll("select");
    const [taken, slider] = holder.querySelectorAll("input");
    const [curves, marks] = holder.querySelectorAll(".errors-plot > g:not(.frame)");
    holder.querySelector(".errors-plot").setAttribute("aria-label", label);
    slider.value = steps.indexOf(1e-7);
    let measured;

    function choose() {
      const options = { isForward: difference.value === "forward", isTaken: taken.checked };
      const chosen = functions[choice.value];
      measured = Object.keys(ROUNDED).map((precision) => measure(steps, chosen, precision, options));
      curves.innerHTML = measured.map((points) => errors(points, chosen, options.isForward)).join("");
      move();
    }

    function move() {
      const h = steps[slider.value];
      const now = measured.map((points) => points[slider.value]);
      const [chosen, isForward] = [functions[choice.value], difference.value === "forward"];
      const marked = now.map((point) => `<g class="${point.precision}">${mark(point, 5)}</g>`);
      slider.setAttribute("aria-valuetext", h.toExponential());
      marks.innerHTML = `<path class="now" d="M${across(h)} ${ERRORS.top}V${ERRORS.bottom}"/>${marked.join("")}`;
      holder.querySelector(".function-plot").innerHTML = chord(chosen, now[0], isForward);
      holder.querySelector("output").textContent = `h = ${h.toExponential()}: ${now.map(said).join(", ")}.`;
      holder.querySelector("table").innerHTML = table(now, chosen, isForward);
    }

    for (const control of [choice, difference, taken]) control.addEventListener("input", choose);
    slider.addEventListener("input", move);
    choose();
  }

  figures("steps", make);
})();
