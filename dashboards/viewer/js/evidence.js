// Maps of evidence: bicubic sampling with Keys' kernel (a = -1/2), the same as medcam.core.resample; outlines at a value.

const NODES = 129; // samples along each side of the raster that outlines are traced on

function keysKernel(distance) {
  const t = Math.abs(distance);
  if (t <= 1) return (1.5 * t - 2.5) * t * t + 1;
  return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}

// Cells and weights of positions along one axis of a grid; null for a position outside.
function axisTaps(positions, cells) {
  return positions.map((position) => {
    if (!(position >= 0 && position <= cells)) return null;
    const base = Math.floor(position - 0.5);
    const taps = [-1, 0, 1, 2].map((step) => base + step);
    return {
      cells: taps.map((tap) => clamp(tap, 0, cells - 1)),
      weights: taps.map((tap) => keysKernel(position - 0.5 - tap)),
    };
  });
}

// The value of a map under a source point; null where the model did not look.
function evidenceAt(map, x, y) {
  const column = axisTaps([map.scaleX * x + map.offsetX], map.width)[0];
  const row = axisTaps([map.scaleY * y + map.offsetY], map.height)[0];
  if (!column || !row) return null;
  let sum = 0;
  row.cells.forEach((line, j) => {
    column.cells.forEach((cell, i) => {
      sum += row.weights[j] * column.weights[i] * map.values[line * map.width + cell];
    });
  });
  return sum;
}

// Resamples a map over rows and columns of taps into a raster, 0 where there is none. `across` tells how the screen's
// columns run along the grid: along its columns, or along its rows where the film is turned by a quarter.
function resampled(map, rowTaps, columnTaps, across, out) {
  const [cellsAcross, strideAcross, strideDown] = across === "x" ? [map.width, 1, map.width] : [map.height, map.width, 1];
  const line = new Float32Array(cellsAcross);
  const count = columnTaps.length;
  const cells = new Int32Array(4 * count);
  const weights = new Float32Array(4 * count);
  columnTaps.forEach((taps, i) => {
    if (taps) cells.set(taps.cells, 4 * i);
    if (taps) weights.set(taps.weights, 4 * i);
  });
  rowTaps.forEach((taps, j) => {
    const start = j * count;
    if (!taps) return void out.fill(0, start, start + count);
    for (let cell = 0; cell < cellsAcross; cell += 1) {
      let sum = 0;
      for (let k = 0; k < 4; k += 1) sum += taps.weights[k] * map.values[taps.cells[k] * strideDown + cell * strideAcross];
      line[cell] = sum;
    }
    for (let i = 0, k = 0; i < count; i += 1, k += 4) {
      out[start + i] = line[cells[k]] * weights[k] + line[cells[k + 1]] * weights[k + 1]
        + line[cells[k + 2]] * weights[k + 2] + line[cells[k + 3]] * weights[k + 3];
    }
  });
  return out;
}

// Even steps over the part of one source axis that lies on the grid and on the film.
function nodesAlong(scale, offset, cells, length) {
  const [first, last] = [-offset / scale, (cells - offset) / scale].sort((p, q) => p - q);
  const [start, stop] = [Math.max(0, first), Math.min(length, last)];
  if (!(stop > start)) return null;
  return Array.from({ length: NODES }, (_, i) => start + ((stop - start) * i) / (NODES - 1));
}

// Closed outlines [[x, y], ...] in source pixels of where a map exceeds a value: marching squares.
function outlinesAbove(map, film, value) {
  const xs = nodesAlong(map.scaleX, map.offsetX, map.width, film.columns);
  const ys = nodesAlong(map.scaleY, map.offsetY, map.height, film.rows);
  if (!xs || !ys) return [];
  const inGrid = (axis, scale, offset, cells) => axis.map((at) => clamp(scale * at + offset, 0, cells));
  const rows = axisTaps(inGrid(ys, map.scaleY, map.offsetY, map.height), map.height);
  const columns = axisTaps(inGrid(xs, map.scaleX, map.offsetX, map.width), map.width);
  const inner = resampled(map, rows, columns, "x", new Float32Array(NODES * NODES));
  // A ring around it that exceeds nothing closes the outlines along the edge.
  const side = NODES + 2;
  const field = new Float32Array(side * side).fill(-1);
  for (let j = 0; j < NODES; j += 1) {
    for (let i = 0; i < NODES; i += 1) field[(j + 1) * side + i + 1] = inner[j * NODES + i] - value;
  }
  const ringed = (axis) => [axis[0], ...axis, axis[NODES - 1]];
  return traced(field, side, ringed(xs), ringed(ys));
}

// Sides of a cell (0 top, 1 right, 2 bottom, 3 left) that its outline joins, by which corners lie above zero
// (1 top left, 2 top right, 4 bottom right, 8 bottom left). Saddles: two pairs, parted by the mean of the corners.
const SIDES = [[], [[3, 0]], [[0, 1]], [[3, 1]], [[1, 2]], null, [[0, 2]], [[3, 2]], [[2, 3]], [[2, 0]], null, [[2, 1]],
  [[1, 3]], [[1, 0]], [[0, 3]], []];

function cellSides(kind, mean) {
  if (kind === 5) return mean > 0 ? [[1, 0], [3, 2]] : [[3, 0], [1, 2]];
  if (kind === 10) return mean > 0 ? [[0, 3], [2, 1]] : [[0, 1], [2, 3]];
  return SIDES[kind];
}

function traced(field, side, xs, ys) {
  const next = new Map(); // from one crossing to the next, by number of the grid edge
  const edge = (i, j, which) => [2 * (j * side + i), 2 * (j * side + i + 1) + 1, 2 * ((j + 1) * side + i),
    2 * (j * side + i) + 1][which];
  for (let j = 0; j + 1 < side; j += 1) {
    for (let i = 0; i + 1 < side; i += 1) {
      const at = j * side + i;
      const corners = [field[at], field[at + 1], field[at + side + 1], field[at + side]];
      const kind = corners.reduce((sum, corner, bit) => sum + (corner > 0 ? 1 << bit : 0), 0);
      if (kind === 0 || kind === 15) continue;
      const mean = (corners[0] + corners[1] + corners[2] + corners[3]) / 4;
      for (const [from, to] of cellSides(kind, mean)) next.set(edge(i, j, from), edge(i, j, to));
    }
  }
  const between = (p, q, first, second) => (p === q ? p : p + ((q - p) * first) / (first - second));
  const point = (id) => {
    const at = id >> 1;
    const [i, j] = [at % side, Math.floor(at / side)];
    if (id % 2) return [xs[i], between(ys[j], ys[j + 1], field[at], field[at + side])];
    return [between(xs[i], xs[i + 1], field[at], field[at + 1]), ys[j]];
  };
  const outlines = [];
  while (next.size) {
    const start = next.keys().next().value;
    const outline = [];
    for (let id = start; next.has(id); ) {
      const after = next.get(id);
      next.delete(id);
      outline.push(point(id));
      id = after;
    }
    outlines.push(outline);
  }
  return outlines;
}
