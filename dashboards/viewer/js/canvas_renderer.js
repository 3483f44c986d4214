// Draws with the processor into a 2D canvas, at the resolution of the screen and never at that of the film.
// What is slow is kept: samples of the film while only the window changes, samples of the map while only colours do.

const FRAME_BUDGET = 38; // milliseconds; a slower frame is drawn in half resolution while the view moves

class CanvasRenderer {
  constructor(canvas) {
    this.name = "canvas";
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.samples = { key: "", data: new Uint16Array(0) };
    this.evidence = { key: "", data: new Float32Array(0) };
    this.spent = 0;
  }

  static ratio() {
    return 1; // a finer screen would need four times the work for each frame
  }

  setPixels(pixels) {
    this.pixels = pixels;
    this.samples.key = this.evidence.key = "";
  }

  resize(width, height) {
    [this.canvas.width, this.canvas.height] = [width, height];
    this.context.fillStyle = GROUND;
  }

  // Frame: panes with their views, grey table, overlay (or null), whether the view is moving.
  draw(frame) {
    const step = frame.moving && this.spent > FRAME_BUDGET ? 2 : 1;
    const started = performance.now();
    this.context.fillStyle = GROUND;
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    for (const pane of frame.panes) this.drawPane(frame, pane, step);
    if (step === 1) this.spent = performance.now() - started;
  }

  drawPane(frame, pane, step) {
    const axes = screenAxes(frame.film, pane.view.inverse, [pane.x, pane.y], step);
    const [x0, x1] = span(axes.across.factor, axes.across.offset, axes.across.length, 0, Math.ceil(pane.width / step));
    const [y0, y1] = span(axes.down.factor, axes.down.offset, axes.down.length, 0, Math.ceil(pane.height / step));
    const [width, height] = [x1 - x0, y1 - y0];
    if (!width || !height) return;
    const box = { x0, x1, y0, y1, width, height };
    const samples = this.sample(axes, box);
    const image = this.imageOf(width, height);
    const out = new Uint32Array(image.data.buffer);
    if (pane.overlay && frame.overlay) {
      this.blend(out, samples, this.sampleMap(frame.overlay.map, axes, box), frame.table, frame.overlay);
    } else {
      const greys = this.words(frame.table);
      for (let i = 0; i < out.length; i += 1) out[i] = greys[samples[i]];
    }
    this.put(image, pane, box, step);
  }

  imageOf(width, height) {
    if (this.image?.width !== width || this.image?.height !== height) this.image = new ImageData(width, height);
    return this.image;
  }

  put(image, pane, box, step) {
    if (step === 1) {
      this.context.putImageData(image, pane.x + box.x0, pane.y + box.y0, 0, 0, pane.width - box.x0, pane.height - box.y0);
      return;
    }
    this.small ??= new OffscreenCanvas(1, 1);
    [this.small.width, this.small.height] = [box.width, box.height];
    this.small.getContext("2d").putImageData(image, 0, 0);
    this.context.save();
    this.context.beginPath();
    this.context.rect(pane.x, pane.y, pane.width, pane.height);
    this.context.clip();
    this.context.drawImage(this.small, pane.x + box.x0 * step, pane.y + box.y0 * step, box.width * step, box.height * step);
    this.context.restore();
  }

  // Stored numbers, bilinear, as seen. Linked panes of one size see the same and share them.
  sample(axes, { x0, x1, y0, y1, width, height }) {
    const key = JSON.stringify([axes, x0, x1, y0, y1]);
    if (this.samples.key === key) return this.samples.data;
    const shrinks = this.pixels.level(Math.abs(axes.across.factor));
    const level = this.pixels.levels[shrinks];
    const taps = (axis, from, to) => bilinearTaps(from, to, axis.factor, axis.offset, axis.length,
      axis.source === "x" ? level.width : level.height, 2 ** shrinks, axis.source === "x" ? 1 : level.width);
    const across = taps(axes.across, x0, x1);
    const down = taps(axes.down, y0, y1);
    const data = this.samples.data.length === width * height ? this.samples.data : new Uint16Array(width * height);
    bilinear(level.data, across, down, data);
    this.samples = { key, data };
    return data;
  }

  sampleMap(map, axes, { x0, x1, y0, y1, width, height }) {
    const key = JSON.stringify([map.id, axes, x0, x1, y0, y1]);
    if (this.evidence.key === key) return this.evidence.data;
    const taps = (axis, from, to) => {
      const [scale, offset, cells] = axis.source === "x"
        ? [map.scaleX, map.offsetX, map.width] : [map.scaleY, map.offsetY, map.height];
      const at = (i) => scale * (axis.factor * (from + i + 0.5) + axis.offset) + offset;
      return axisTaps(Array.from({ length: to - from }, (_, i) => at(i)), cells);
    };
    const size = width * height;
    const data = this.evidence.data.length === size ? this.evidence.data : new Float32Array(size);
    resampled(map, taps(axes.down, y0, y1), taps(axes.across, x0, x1), axes.across.source, data);
    this.evidence = { key, data };
    return data;
  }

  blend(out, samples, evidence, table, overlay) {
    const greys = this.words(table);
    const { low, high, threshold, signed } = overlay;
    const perUnit = 255 / (high - low);
    const colours = mixes(overlay);
    for (let i = 0; i < out.length; i += 1) {
      const value = evidence[i];
      if (!(value > threshold || (signed && value < -threshold))) {
        out[i] = greys[samples[i]];
        continue;
      }
      let level = ((value - low) * perUnit + 0.5) | 0;
      level = level < 0 ? 0 : level > 255 ? 1020 : level << 2;
      const grey = table[samples[i]] * colours[level + 3] + 0.5;
      out[i] = 0xff000000 | ((grey + colours[level + 2]) << 16) | ((grey + colours[level + 1]) << 8)
        | (grey + colours[level]);
    }
  }

  words(table) {
    if (this.kept?.table !== table) this.kept = { table, words: greyWords(table) };
    return this.kept.words;
  }

  dispose() {
    this.pixels = null;
    this.samples.data = this.evidence.data = new Float32Array(0);
  }
}

const GROUND = "#07090b"; // around the film

// How the two screen axes of a pane run along the source: which source axis, factor and offset, in steps of the pane.
function screenAxes(film, inverse, [x, y], step) {
  const [a, b, c, d, e, f] = inverse;
  const alongX = Math.abs(a) > Math.abs(b); // the screen's columns run along the film's columns
  // Rounded, so that two linked panes have the same key for what they share.
  const axis = (source, factor, offset) => ({
    source, factor: factor * step, offset: Math.round(offset * 1e9) / 1e9, length: source === "x" ? film.columns : film.rows,
  });
  return alongX
    ? { across: axis("x", a, e + a * x), down: axis("y", d, f + d * y) }
    : { across: axis("y", b, f + b * x), down: axis("x", c, e + c * y) };
}

function bilinear(source, across, down, out) {
  const { first: left, second: right, weight } = across;
  const count = left.length;
  for (let j = 0, to = 0; j < down.first.length; j += 1) {
    const [upper, lower, v] = [down.first[j], down.second[j], down.weight[j]];
    for (let i = 0; i < count; i += 1, to += 1) {
      const u = weight[i];
      const top = source[upper + left[i]] * (1 - u) + source[upper + right[i]] * u;
      const bottom = source[lower + left[i]] * (1 - u) + source[lower + right[i]] * u;
      out[to] = top * (1 - v) + bottom * v + 0.5;
    }
  }
}

// Opaque greys as 32-bit pixels (red in the lowest byte).
function greyWords(table) {
  const words = new Uint32Array(65536);
  for (let i = 0; i < table.length; i += 1) words[i] = 0xff000000 | (table[i] * 0x010101);
  return words;
}

// Per colour: red, green and blue already times opacity, and what is left of the grey.
function mixes(overlay) {
  const out = new Float32Array(1024);
  for (let level = 0; level < 256; level += 1) {
    const opacity = overlay.opacities[level];
    for (let part = 0; part < 3; part += 1) out[4 * level + part] = overlay.table[3 * level + part] * opacity;
    out[4 * level + 3] = 1 - opacity;
  }
  return out;
}
