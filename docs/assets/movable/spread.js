// One error, in a single entry or spread over many, and its three norms.
// The norms were computed by the page's Python.
(() => {
  const { brief, figures, frame, logarithmic, path, powers } = Plot;
  const PLOT = { left: 58, right: 394, top: 10, bottom: 220 };

  function make(holder, { entries, norms }, label) {
    const names = Object.keys(norms);
    const last = Math.log10(entries.at(-1));
    const least = Math.floor(Math.log10(Math.min(...Object.values(norms).flat())));
    const across = logarithmic([0, last], [PLOT.left, PLOT.right]);
    const up = logarithmic([least, 1], [PLOT.bottom, PLOT.top]);
    const ticks = { across: powers(0, last, 1), up: powers(least, 1, 1) };
    const curves = names.map((name, k) =>
      `<g class="series-${k}"><g class="curve">${path(entries.map((n, i) => [across(n), up(norms[name][i])]))}</g></g>`);
    holder.innerHTML = `
      <svg role="img" viewBox="0 0 442 264">
        ${frame(PLOT, across, up, ticks, ["wrong entries", "norm of the error"])}${curves.join("")}<g class="marks"></g></svg>
      <label>Spread <input type="range" autocomplete="off" value="0" max="${entries.length - 1}"></label>
      <output></output>
      <table class="numbers"></table>`;
    const slider = holder.querySelector("input");
    holder.querySelector("svg").setAttribute("aria-label", label);

    function move() {
      const i = Number(slider.value);
      const place = across(entries[i]);
      const marks = names.map((name, k) =>
        `<g class="series-${k}"><circle cx="${place}" cy="${up(norms[name][i])}" r="5"/></g>`);
      const rows = names.map((name, k) =>
        `<tr><th scope="row" class="series-${k}">${name}</th><td>${brief(norms[name][i])}</td></tr>`);
      const said = i ? `${entries[i].toLocaleString("en")} entries` : "one entry";
      slider.setAttribute("aria-valuetext", said);
      holder.querySelector(".marks").innerHTML = `<path class="now" d="M${place} ${PLOT.top}V${PLOT.bottom}"/>${marks.join("")}`;
      holder.querySelector("output").textContent = `An error of 1 in all, in ${said}.`;
      holder.querySelector("table").innerHTML = rows.join("");
    }

    slider.addEventListener("input", move);
    move();
  }

  figures("spread", make);
})();
