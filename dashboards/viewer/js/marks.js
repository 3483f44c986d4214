// Everything that is drawn over the film as lines and words: outlines, boxes, zones, ruler, corrected region, letters.
// Lines live in source pixels under one matrix for each pane, so that moving the view moves them without new paths.

const pathOf = (outlines, closed = true) => outlines.filter((outline) => outline.length > 1)
  .map((outline) => `M${outline.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L")}${closed ? "Z" : ""}`).join("");

class Marks {
  constructor(layer, words) {
    this.layer = layer;
    this.words = words;
    this.panes = [];
  }

  // One group for each pane, made once for as many panes as there are.
  ensure(count) {
    while (this.panes.length > count) {
      const pane = this.panes.pop();
      pane.clip.parentNode.remove();
      pane.group.remove();
    }
    while (this.panes.length < count) this.panes.push(this.paneGroup(this.panes.length));
  }

  paneGroup(number) {
    const clip = svg("rect", {});
    const id = `clip-${number}`;
    const line = (kind) => [svg("path", { class: `halo ${kind}` }), svg("path", { class: `line ${kind}` })];
    const parts = { boxes: line("boxes"), contour: line("contour"), region: line("region"), ruler: line("ruler") };
    const zones = svg("g", { class: "zones" });
    const world = svg("g", { class: "world" }, zones, ...Object.values(parts).flat());
    const labels = svg("g", { class: "labels" });
    const letters = Object.fromEntries(["left", "right", "top", "bottom"].map(
      (edge) => [edge, svg("text", { class: "letter", "data-edge": edge })]));
    const group = svg("g", { class: "pane", "clip-path": `url(#${id})` }, world, labels, ...Object.values(letters));
    this.layer.append(svg("clipPath", { id }, clip), group);
    return { clip, group, world, zones, labels, parts, letters, seen: {} };
  }

  // Draws what a frame holds: film, panes with views, and per kind of mark what is to be seen.
  draw(frame, marks) {
    this.ensure(frame.panes.length);
    frame.panes.forEach((pane, number) => {
      const group = this.panes[number];
      put(group.clip, { x: pane.x, y: pane.y, width: pane.width, height: pane.height });
      put(group.world, { transform: `matrix(${pane.view.matrix.map((part) => Number(part.toFixed(6))).join(" ")})` });
      const ai = pane.overlay;
      this.line(group, "contour", ai ? marks.contour : "");
      this.line(group, "boxes", ai ? marks.boxes : "");
      this.line(group, "region", marks.region ? pathOf([marks.region.polygon()], marks.region.closed) : "");
      this.line(group, "ruler", marks.ruler ? pathOf([marks.ruler], false) : "");
      put(group.parts.region[1], { class: `line region${marks.region?.sent ? " sent" : ""}` });
      this.zones(group, ai ? marks.zones : []);
      this.labels(group, pane, ai ? marks : { ...marks, zones: [] });
      this.letters(group, pane, marks.letters);
    });
  }

  line(group, name, path) {
    if (group.seen[name] === path) return;
    group.seen[name] = path;
    group.parts[name].forEach((element) => element.setAttribute("d", path));
  }

  zones(group, zones) {
    const key = JSON.stringify(zones.map((zone) => [zone.name, zone.colour, zone.path.length]));
    if (group.seen.zones === key) return;
    group.seen.zones = key;
    group.zones.replaceChildren(...zones.flatMap((zone) => [
      svg("path", { class: "halo zone", d: zone.path }),
      svg("path", { class: "line zone", d: zone.path, "data-zone": zone.name, style: `stroke: ${zone.colour}` }),
    ]));
  }

  // Words and handles keep their size on the screen, so they are placed anew for every view.
  labels(group, pane, marks) {
    const at = ([x, y]) => pane.view.toScreen(x, y);
    const items = marks.zones.map((zone) => this.zoneLabel(zone, at(zone.middle)));
    if (marks.ruler) items.push(this.rulerLabel(marks, at));
    if (marks.cursor) items.push(cross(at(marks.cursor)));
    if (marks.region && !marks.region.sent) {
      for (const handle of marks.region.handles()) {
        const [x, y] = at(handle);
        items.push(svg("rect", { class: "handle", x: x - 3.5, y: y - 3.5, width: 7, height: 7 }));
      }
    }
    group.labels.replaceChildren(...items);
  }

  zoneLabel(zone, [x, y]) {
    return svg("text", { class: "zone-label", x, y, "data-zone": zone.name },
      svg("tspan", { x, dy: "-0.2em", class: "zone-name" }, zone.label),
      svg("tspan", { x, dy: "1.25em", class: "zone-value" }, zone.value));
  }

  rulerLabel(marks, at) {
    const [start, end] = marks.ruler.map(at);
    const right = end[0] >= start[0];
    return svg("g", {},
      ...[start, end].map(([x, y]) => svg("circle", { class: "handle", cx: x, cy: y, r: 3 })),
      svg("text", { class: "ruler-label", x: end[0] + (right ? 10 : -10), y: end[1] + 4, "text-anchor": right ? "start" : "end" },
        marks.rulerWords));
  }

  letters(group, pane, letters) {
    const places = {
      left: [pane.x + 16, pane.y + pane.height / 2], right: [pane.x + pane.width - 16, pane.y + pane.height / 2],
      top: [pane.x + pane.width / 2, pane.y + 22], bottom: [pane.x + pane.width / 2, pane.y + pane.height - 12],
    };
    for (const [edge, [x, y]] of Object.entries(places)) {
      put(group.letters[edge], { x, y });
      say(group.letters[edge], letters[edge]);
    }
  }
}

const cross = ([x, y]) => svg("path", { class: "cursor", d: `M${x - 9} ${y}h18M${x} ${y - 9}v18` });

// A box as a closed path in source pixels.
const boxPath = ({ x, y, width, height }) => `M${x} ${y}h${width}v${height}h${-width}Z`;

// The middle of the largest polygon's area, where its words go.
function middleOf(polygons) {
  let [best, most] = [[0, 0], -1];
  for (const polygon of polygons) {
    let [area, sumX, sumY] = [0, 0, 0];
    polygon.forEach(([x1, y1], i) => {
      const [x0, y0] = polygon[(i || polygon.length) - 1];
      const part = x0 * y1 - x1 * y0;
      area += part;
      sumX += (x0 + x1) * part;
      sumY += (y0 + y1) * part;
    });
    if (Math.abs(area) > most) [best, most] = [area ? [sumX / (3 * area), sumY / (3 * area)] : polygon[0], Math.abs(area)];
  }
  return best;
}
