// A corrected region: a box or an outline in source pixels, being drawn, edited or already sent.

const GRIP = 9; // CSS pixels around a handle that count as the handle
const SMALLEST = 4; // source pixels; anything smaller was a slip of the hand
const MOST_HANDLES = 64;

const boxOf = (points) => {
  const [xs, ys] = [points.map((point) => point[0]), points.map((point) => point[1])];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
};

class DrawnRegion {
  constructor(kind, points) {
    this.kind = kind;
    this.points = points; // two corners of a box; corners of an outline
    this.closed = kind === "box";
    this.sent = false;
  }

  static box(left, top, right, bottom) {
    return new DrawnRegion("box", [[left, top], [right, bottom]]);
  }

  // The polygon to draw: four corners of a box.
  polygon() {
    if (this.kind !== "box") return this.points;
    const { left, top, right, bottom } = boxOf(this.points);
    return [[left, top], [right, top], [right, bottom], [left, bottom]];
  }

  // Where it can be taken hold of: corners and middles of a box, corners of an outline.
  handles() {
    if (this.kind === "box") {
      const { left, top, right, bottom } = boxOf(this.points);
      const [x, y] = [(left + right) / 2, (top + bottom) / 2];
      return [[left, top], [x, top], [right, top], [right, y], [right, bottom], [x, bottom], [left, bottom], [left, y]];
    }
    return this.points.length <= MOST_HANDLES ? this.points : [];
  }

  // What lies under a screen point: the number of a handle, "inside", or null.
  grip(view, x, y) {
    const near = this.handles().findIndex(([sourceX, sourceY]) => {
      const [handleX, handleY] = view.toScreen(sourceX, sourceY);
      return Math.hypot(handleX - x, handleY - y) <= GRIP;
    });
    if (near >= 0) return near;
    return this.closed && isInside(this.polygon(), view.toSource(x, y)) ? "inside" : null;
  }

  // Drags a handle to a source point. `from` is the box as it was when the handle was taken: dragged over the opposite
  // side, the box turns inside out and back.
  reshape(handle, [x, y], from) {
    this.sent = false;
    if (this.kind !== "box") {
      this.points[handle] = [x, y];
      return;
    }
    const box = { ...from };
    if ([0, 6, 7].includes(handle)) box.left = x;
    if ([2, 3, 4].includes(handle)) box.right = x;
    if ([0, 1, 2].includes(handle)) box.top = y;
    if ([4, 5, 6].includes(handle)) box.bottom = y;
    this.points = [[box.left, box.top], [box.right, box.bottom]];
  }

  move(dx, dy, film) {
    const { left, top, right, bottom } = boxOf(this.points);
    const [stepX, stepY] = [clamp(dx, -left, film.columns - right), clamp(dy, -top, film.rows - bottom)];
    this.points = this.points.map(([x, y]) => [x + stepX, y + stepY]);
    this.sent = false;
  }

  // Resizes by the right and lower edge, by steps in source pixels.
  grow(dx, dy, film) {
    const { left, top, right, bottom } = boxOf(this.points);
    const newRight = clamp(right + dx, left + SMALLEST, film.columns);
    const newBottom = clamp(bottom + dy, top + SMALLEST, film.rows);
    const stretch = ([x, y]) => [
      left + ((x - left) * (newRight - left)) / (right - left || 1),
      top + ((y - top) * (newBottom - top)) / (bottom - top || 1),
    ];
    this.points = this.points.map(stretch);
    this.sent = false;
  }

  // Whether there is enough of it to be meant.
  whole() {
    if (this.kind === "outline" && this.points.length < 3) return false;
    const { left, top, right, bottom } = boxOf(this.points);
    return right - left >= SMALLEST && bottom - top >= SMALLEST;
  }

  // As it is sent: top left and bottom right corner of a box, or the corners of an outline; no finer than a hand points.
  sentPoints() {
    const { left, top, right, bottom } = boxOf(this.points);
    const points = this.kind === "box" ? [[left, top], [right, bottom]] : this.points;
    return points.map((point) => point.map((part) => Math.round(part * 100) / 100));
  }
}

function isInside(polygon, [x, y]) {
  let inside = false;
  polygon.forEach(([x1, y1], i) => {
    const [x0, y0] = polygon[(i || polygon.length) - 1];
    if (y1 > y !== y0 > y && x < x1 + ((x0 - x1) * (y - y1)) / (y0 - y1)) inside = !inside;
  });
  return inside;
}

const onFilm = (film, [x, y]) => [clamp(x, 0, film.columns), clamp(y, 0, film.rows)];

// Fewer corners for a line drawn by hand: those that lie further than a tolerance from the line without them
// (Douglas and Peucker 1973).
function simplified(points, tolerance) {
  if (points.length < 3) return points;
  const [first, last] = [points[0], points[points.length - 1]];
  const length = Math.hypot(last[0] - first[0], last[1] - first[1]);
  let [furthest, at] = [-1, 0];
  for (let i = 1; i + 1 < points.length; i += 1) {
    const [dx, dy] = [points[i][0] - first[0], points[i][1] - first[1]];
    const off = length ? Math.abs(dx * (last[1] - first[1]) - dy * (last[0] - first[0])) / length : Math.hypot(dx, dy);
    if (off > furthest) [furthest, at] = [off, i];
  }
  if (furthest <= tolerance) return [first, last];
  return [...simplified(points.slice(0, at + 1), tolerance).slice(0, -1), ...simplified(points.slice(at), tolerance)];
}
