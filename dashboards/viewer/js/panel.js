// The column beside the film: findings, what is shown of the map, its colour bar, and the corrected region.

const BAR_LEVELS = 256;

class Panel {
  constructor(viewer) {
    this.viewer = viewer;
    this.syncs = [];
    this.element = el("aside", { class: "panel", "aria-label": viewer.words("panel") });
    this.region = this.regionPart();
  }

  // Made anew when Python sends other findings or colours.
  build() {
    this.syncs = [];
    const { viewer } = this;
    const strip = viewer.raw.frame.layout === "strip";
    const parts = !viewer.data.findings.length ? [] : strip ? [this.shown(), this.colourBar()] : [this.findings(), this.map(), this.colourBar()];
    this.element.hidden = !parts.length && !viewer.raw.frame.drawing;
    this.element.replaceChildren(...parts, this.region);
  }

  part(title, ...children) {
    return el("section", {}, el("h3", {}, this.viewer.words(title)), ...children);
  }

  findings() {
    const { viewer } = this;
    const list = el("div", { class: "findings", role: "radiogroup", "aria-label": viewer.words("panel.findings") });
    const rows = viewer.data.findings.map((finding) => this.findingRow(finding, list));
    list.append(...rows);
    this.syncs.push(() => rows.forEach((row, i) => {
      const chosen = viewer.data.findings[i] === viewer.finding();
      put(row, { "aria-checked": chosen, tabindex: chosen ? 0 : -1 });
    }));
    return this.part("panel.findings", list);
  }

  findingRow(finding, list) {
    const { viewer } = this;
    const { words } = viewer;
    const answer = finding.present === null ? "withheld" : finding.present ? "present" : "absent";
    const numbers = words("finding.numbers", {
      probability: finding.probability.toFixed(3), threshold: finding.threshold.toFixed(3), answer: words(`finding.${answer}`),
    });
    const choose = () => viewer.change({ finding: finding.name });
    const bar = el("span", { class: "bar" }, el("span", {}), el("i", {}));
    bar.firstChild.style.width = `${100 * finding.probability}%`;
    bar.lastChild.style.left = `${100 * finding.threshold}%`;
    return el("div", {
      role: "radio", class: `finding ${answer}`, title: numbers, "aria-label": `${finding.label}, ${numbers}`, "data-finding": finding.name,
      onclick: choose, onkeydown: (event) => this.findingKey(event, list, choose),
    }, el("span", { class: "name" }, finding.label), el("span", { class: "number" }, finding.probability.toFixed(2)), bar);
  }

  // As in any group of radio buttons: arrows choose, Space chooses.
  findingKey(event, list, choose) {
    const step = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
    if (event.key === " " || event.key === "Enter") choose();
    else if (step) {
      const rows = [...list.children];
      const next = rows[(rows.indexOf(event.currentTarget) + step + rows.length) % rows.length];
      next.click();
      next.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // The switches of what is shown of a map.
  shown() {
    const { viewer } = this;
    const { words } = viewer;
    const flag = (name) => this.pressed(`action.${name}`, words(`map.${name}`), name, () => viewer.display[name], () => viewer.actions[name]());
    const shown = el("div", { class: "switches", role: "group", "aria-label": words("map.shown") },
      ...["overlay", "contour", "boxes", "zones"].map(flag));
    const zoneNote = el("p", { class: "note" });
    this.syncs.push(() => this.syncZones(shown.lastChild, zoneNote));
    return el("section", {}, shown, zoneNote);
  }

  map() {
    const { viewer } = this;
    const { words } = viewer;
    const mode = (name) => this.pressed("action.opacityMode", words(`opacity.${name}`), "opacityMode",
      () => viewer.display.opacityMode === name, () => viewer.change({ opacityMode: name }));
    const opacity = this.slider("map.opacity", 0, () => 1, () => 0.01, () => viewer.display.opacity,
      (value) => viewer.change({ opacity: value }, true), (value) => `${Math.round(100 * value)} %`);
    const threshold = this.slider("map.threshold", 0, () => viewer.scale(), () => viewer.scale() / 200, () => viewer.threshold(),
      (value) => viewer.setThreshold(value, true), (value) => this.units(value.toFixed(2)));
    const colours = viewer.data.colours.map((table) => {
      const made = this.pressed("action.nextColours", table.label, "nextColours",
        () => viewer.colours() === table, () => viewer.change({ colours: table.name }));
      made.append(gradient(table));
      return made;
    });
    return this.part("panel.map", this.shown(), threshold,
      opacity, el("div", { class: "segments", role: "group", "aria-label": words("map.opacity") }, mode("value"), mode("constant")),
      el("div", { class: "segments colours", role: "group", "aria-label": words("map.colours") }, ...colours));
  }

  units(number) {
    return this.viewer.words(this.viewer.finding()?.ledger ? "units.logit" : "units.none", { value: number });
  }

  // A button that stays pressed, with its key in its tooltip.
  pressed(title, label, action, isPressed, act) {
    const { words } = this.viewer;
    const made = el("button", { type: "button", title: `${words(title)} (${keyName(KEY_OF.get(action))})`, onclick: act }, label);
    this.syncs.push(() => put(made, { "aria-pressed": isPressed() }));
    return made;
  }

  slider(name, min, max, step, read, write, inWords) {
    const output = el("output", {});
    const input = el("input", {
      type: "range", min, max: max(), step: step(), "aria-label": this.viewer.words(name), "data-slider": name,
      oninput: (event) => write(Number(event.target.value)),
    });
    this.syncs.push(() => {
      const value = read();
      if (Number(input.max) !== max()) put(input, { max: max(), step: step() });
      if (Number(input.value) !== value) input.value = value;
      say(output, inWords(value));
      put(input, { "aria-valuetext": inWords(value) });
    });
    return el("label", { class: "slider" }, el("span", {}, this.viewer.words(name)), output, input);
  }

  syncZones(button, note) {
    const { viewer } = this;
    const has = viewer.hasZones();
    button.disabled = !has;
    const text = has ? (viewer.display.zones ? viewer.words("zones.scale", { value: plain(viewer.zoneScale(), 2) }) : "") : viewer.words("zones.none");
    say(note, text);
    note.hidden = !text;
  }

  colourBar() {
    const { viewer } = this;
    const canvas = el("canvas", { width: BAR_LEVELS, height: 1, "aria-hidden": "true" });
    const mark = el("i", { class: "peak", "aria-hidden": "true" });
    const ticks = el("div", { class: "ticks number" }, el("span", {}), el("span", {}), el("span", {}));
    const peak = el("p", { class: "note" });
    const note = el("p", { class: "note", "data-role": "scale" });
    this.syncs.push(() => {
      const overlay = viewer.overlay();
      if (!overlay) return;
      drawBar(canvas, overlay);
      const middle = (overlay.low + overlay.high) / 2;
      [overlay.low, middle, overlay.high].forEach((value, i) => say(ticks.children[i], plain(value, 2)));
      const highest = Math.max(...viewer.finding().map.values);
      mark.style.left = `${100 * clamp((highest - overlay.low) / (overlay.high - overlay.low), 0, 1)}%`;
      say(peak, viewer.words("scale.peak", { value: signed(highest, 2) }));
      const { ledger, filmScale } = viewer.finding();
      say(note, viewer.words(filmScale ? "scale.film" : ledger ? "scale.logit" : "scale.none"));
    });
    return this.part("panel.scale", el("div", { class: "colour-bar" }, canvas, mark), ticks, peak, note, misleading(viewer));
  }

  regionPart() {
    const { words, actions } = this.viewer;
    this.regionWords = el("p", { "data-role": "region" });
    this.confirm = el("button", { type: "button", class: "primary", onclick: () => actions.confirm() }, words("region.confirm"));
    this.remove = el("button", { type: "button", class: "plain", onclick: () => actions.remove() }, words("region.remove"));
    return el("section", { class: "region-part", hidden: true },
      el("h3", {}, words("panel.region")), this.regionWords, el("div", { class: "row" }, this.confirm, this.remove));
  }

  sync() {
    this.syncs.forEach((step) => step());
    const { region, words } = this.viewer;
    this.region.hidden = !region;
    if (!region) return;
    const box = region.points.length ? boxOf(region.points) : { left: 0, top: 0, right: 0, bottom: 0 };
    const size = { width: plain(box.right - box.left), height: plain(box.bottom - box.top), x: plain(box.left), y: plain(box.top) };
    say(this.regionWords, region.closed ? words(`region.${region.kind}`, size) : words("region.open", { count: region.points.length }));
    say(this.confirm, words(region.sent ? "region.sent" : "region.confirm"));
    this.confirm.disabled = region.sent || (region.closed ? !region.whole() : region.points.length < 3);
  }
}

// The way to the page that says how a map can mislead; it opens beside this one, which keeps its state.
function misleading(viewer) {
  const { misleading: address } = viewer.raw.frame;
  return address ? el("a", { class: "misleading", href: address, target: "_blank" }, viewer.words("help.mislead")) : null;
}

function gradient(table) {
  const stops = Array.from({ length: 9 }, (_, i) => {
    const at = 3 * Math.min(255, i * 32);
    return `rgb(${table.table[at]} ${table.table[at + 1]} ${table.table[at + 2]})`;
  });
  const strip = el("i", { class: "strip", "aria-hidden": "true" });
  strip.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
  return strip;
}

// Colours as they are, dark where nothing is shown.
function drawBar(canvas, overlay) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(BAR_LEVELS, 1);
  for (let level = 0; level < BAR_LEVELS; level += 1) {
    const value = overlay.low + ((overlay.high - overlay.low) * level) / (BAR_LEVELS - 1);
    const rgb = overlay.shows(value) ? overlay.table.subarray(3 * level, 3 * level + 3) : [34, 40, 46];
    image.data.set([...rgb, 255], 4 * level);
  }
  context.putImageData(image, 0, 0);
}
