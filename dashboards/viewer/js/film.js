// The film's pixels: fetched, unpacked, and halved again and again for views that are smaller than the film.

const SMALLEST_LEVEL = 64;

class FilmError extends Error {}

// Pixels of a film with what the views and presets need of them.
class Pixels {
  constructor(rows, columns, stored, histogram) {
    this.rows = rows;
    this.columns = columns;
    this.histogram = histogram;
    this.levels = [{ width: columns, height: rows, data: stored }];
    for (let level = this.levels[0]; Math.min(level.width, level.height) > SMALLEST_LEVEL; ) {
      level = halved(level);
      this.levels.push(level);
    }
    this.lowest = histogram.findIndex((count) => count > 0);
    this.highest = histogram.findLastIndex((count) => count > 0);
  }

  // The stored number under a source point, null outside the film.
  at(x, y) {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    if (column < 0 || row < 0 || column >= this.columns || row >= this.rows) return null;
    return this.levels[0].data[row * this.columns + column];
  }

  // The level with about one sample for each pixel of the screen.
  level(sourcePerScreen) {
    return clamp(Math.floor(Math.log2(Math.max(sourcePerScreen, 1)) + 0.5), 0, this.levels.length - 1);
  }

  // The stored number below which a share of the pixels lies. A border or a burnt-in ground of one value does not count.
  percentile(percent) {
    const total = this.rows * this.columns;
    const skip = (stored) => this.histogram[stored] > total / 100;
    const first = this.lowest + (skip(this.lowest) ? 1 : 0);
    const last = this.highest - (skip(this.highest) ? 1 : 0);
    let counted = 0;
    for (let stored = first; stored <= last; stored += 1) counted += this.histogram[stored];
    let left = (counted * percent) / 100;
    for (let stored = first; stored <= last; stored += 1) {
      left -= this.histogram[stored];
      if (left <= 0) return stored;
    }
    return this.highest;
  }
}

// Means of 2 x 2 numbers; an odd last row or column counts twice.
function halved({ width, height, data }) {
  const [columns, rows] = [(width + 1) >> 1, (height + 1) >> 1];
  const out = new Uint16Array(columns * rows);
  const whole = width >> 1;
  for (let row = 0, to = 0; row < rows; row += 1) {
    let upper = 2 * row * width;
    let lower = Math.min(2 * row + 1, height - 1) * width;
    for (let column = 0; column < whole; column += 1, upper += 2, lower += 2, to += 1) {
      out[to] = (data[upper] + data[upper + 1] + data[lower] + data[lower + 1] + 2) >> 2;
    }
    if (whole < columns) out[to++] = (data[upper] + data[lower] + 1) >> 1;
  }
  return { width: columns, height: rows, data: out };
}

// Undoes `pack_film`: planes of high and low bytes, zigzag, differences along the rows.
function unpacked(bytes, rows, columns) {
  const size = rows * columns;
  if (bytes.length !== 2 * size) throw new FilmError("size");
  const stored = new Uint16Array(size);
  const histogram = new Uint32Array(65536);
  for (let row = 0, at = 0; row < rows; row += 1) {
    for (let column = 0, before = 0; column < columns; column += 1, at += 1) {
      const zigzag = (bytes[at] << 8) | bytes[size + at];
      before = (before + ((zigzag >>> 1) ^ -(zigzag & 1))) & 0xffff;
      stored[at] = before;
      histogram[before] += 1;
    }
  }
  return new Pixels(rows, columns, stored, histogram);
}

// Downloads a film. The browser inflates while it receives, in a thread of its own.
async function fetchPixels(film, signal) {
  const answer = await fetch(film.url, { credentials: "same-origin", signal });
  if (!answer.ok) throw new FilmError(String(answer.status));
  const inflated = answer.body.pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(inflated).arrayBuffer());
  return unpacked(bytes, film.rows, film.columns);
}
