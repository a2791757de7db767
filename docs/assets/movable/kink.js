// A point that moves over a kink, with the three difference quotients there.
// The values of the function were computed by the page's Python, the quotients are computed here.
(() => {
  const { clipped, curve, figures, frame, linear, path, select } = Plot;
  const PLOT = { left: 52, right: 394, top: 10, bottom: 220 };
  const NAMES = ["backward", "forward", "central"];
  const SERIES = ["series-2", "series-1", "series-0"]; // as the figure above has them

  // In two digits after the point, which is as fine as the slider goes.
  const short = (x) => x.toFixed(2).replace(/^-(?=0.00$)/, "").replace("-", "−");

  function quotients(h, { at, plus, minus }, i) {
    return [(at[i] - minus[i]) / h, (plus[i] - at[i]) / h, (plus[i] - minus[i]) / (2 * h)];
  }

  function make(holder, { h, x, functions }, label) {
    holder.innerHTML = `
      ${select("Function", Object.keys(functions))}
      <svg role="img" viewBox="0 0 442 264"></svg>
      <label>Point <input type="range" autocomplete="off" max="${x.length - 1}"></label>
      <output></output>
      <table class="numbers"></table>`;
    const [choice, slider] = holder.querySelectorAll("select, input");
    const drawing = holder.querySelector("svg");
    drawing.setAttribute("aria-label", label);
    slider.value = Math.floor(x.length / 2);

    function draw() {
      const i = Number(slider.value);
      const { curve: wide, at, plus, minus } = functions[choice.value];
      const ends = [wide.x[0], wide.x.at(-1)];
      const across = linear(ends, [PLOT.left, PLOT.right]);
      const up = linear([Math.min(...wide.y) - 0.2, Math.max(...wide.y) + 0.1], [PLOT.bottom, PLOT.top]);
      const points = [[x[i] - h, minus[i]], [x[i], at[i]], [x[i] + h, plus[i]]].map(
        ([place, value]) => [across(place), up(value)]);
      const chords = [[points[0], points[1]], [points[1], points[2]], [points[0], points[2]]].map(
        (chord, k) => `<g class="${SERIES[k]} chord">${path(chord)}</g>`);
      const ticks = [[ends[0], short(ends[0])], [0, "0"], [ends[1], short(ends[1])]];
      const dots = points.map(([left, top]) => `<circle cx="${left}" cy="${top}" r="4"/>`);
      drawing.innerHTML = frame(PLOT, across, up, { across: ticks, up: [] }, ["x", "f(x)"]) +
        clipped(PLOT, `${curve(wide, across, up)}
          ${chords.join("")}<g class="points">${dots.join("")}</g>`);
      tell(x[i], quotients(h, functions[choice.value], i));
    }

    function tell(place, slopes) {
      const gap = slopes[1] - slopes[0];
      slider.setAttribute("aria-valuetext", short(place));
      holder.querySelector("output").textContent =
        `x = ${short(place)}: the slopes on the two sides differ by ${short(Math.abs(gap))}.`;
      const rows = slopes.map((slope, k) =>
        `<tr><th scope="row" class="${SERIES[k]}">${NAMES[k]}</th><td>${short(slope)}</td></tr>`);
      holder.querySelector("table").innerHTML = rows.join("");
    }

    choice.addEventListener("input", draw);
    slider.addEventListener("input", draw);
    draw();
  }

  figures("kink", make);
})();
