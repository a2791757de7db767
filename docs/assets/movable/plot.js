// What the figures to move share: where numbers stand, how they are written, and when to draw.
const Plot = (() => {
  const superscript = (power) =>
    power ? `10<tspan dy="-5" font-size="70%">${String(power).replace("-", "−")}</tspan>` : "1";

  // In two digits.
  const brief = (x) => (x === 0 ? "0" : x.toExponential(1));

  // Where a number stands between two places; on a logarithmic scale, a bound is a power of ten.
  function linear([least, most], [start, end]) {
    return (x) => start + ((x - least) / (most - least)) * (end - start);
  }
  function logarithmic(powers, places) {
    const place = linear(powers, places);
    return (x) => place(Math.max(Math.log10(x), powers[0]));
  }

  // The lines of a grid, and what stands at them; each tick is a number and its text.
  function frame({ left, right, top, bottom }, across, up, ticks, names) {
    const columns = ticks.across.map(([x, text]) => `<path d="M${across(x)} ${top}V${bottom}"/>
      <text x="${across(x)}" y="${bottom + 18}">${text}</text>`);
    const rows = ticks.up.map(([y, text]) => `<path d="M${left} ${up(y)}H${right}"/>
      <text x="${left - 6}" y="${up(y) + 5}" class="end">${text}</text>`);
    return `<g class="frame">${columns.join("")}${rows.join("")}
      <text x="${(left + right) / 2}" y="${bottom + 38}">${names[0]}</text>
      <text transform="translate(11 ${(top + bottom) / 2}) rotate(-90)">${names[1]}</text></g>`;
  }

  function powers(least, most, every) {
    const count = Math.floor((most - least) / every) + 1;
    return Array.from({ length: count }, (_, i) => [10 ** (least + i * every), superscript(least + i * every)]);
  }

  const path = (points) => `<path d="M${points.map((point) => point.join(" ")).join("L")}"/>`;

  const curve = ({ x, y }, across, up) =>
    `<g class="function">${path(x.map((place, i) => [across(place), up(y[i])]))}</g>`;

  const options = (texts, values = texts) =>
    texts.map((text, i) => `<option value="${values[i]}">${text}</option>`).join("");

  const select = (label, ...listed) =>
    `<label>${label} <select autocomplete="off">${options(...listed)}</select></label>`;

  // What leaves the plot is cut off.
  function clipped({ left, right, top, bottom }, content) {
    const [width, height] = [right - left, bottom - top];
    return `<svg x="${left}" y="${top}" width="${width}" height="${height}"
      viewBox="${left} ${top} ${width} ${height}">${content}</svg>`;
  }

  // Make each figure of a kind, and again when a run of the page has left other data.
  function figures(kind, make) {
    for (const holder of document.querySelectorAll(".movable")) {
      if (!holder.classList.contains(kind)) continue;
      const data = holder.querySelector("script").textContent;
      const label = holder.querySelector("noscript").textContent;
      const draw = (text) => {
        make(holder, JSON.parse(text), label);
        holder.classList.add("built");
      };
      draw(data);
      holder.dataset.data = data;
      holder.addEventListener("data", ({ detail }) => draw(detail));
    }
  }

  return { brief, clipped, curve, figures, frame, linear, logarithmic, options, path, powers, select };
})();
