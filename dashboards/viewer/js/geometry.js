// Where source pixels land on the screen. Source: origin at the film's top left corner, pixel (i, j) covers i..i+1,
// j..j+1. Screen: CSS pixels from the stage's top left corner. All files of this folder are joined into one module.

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// Rows of the 2 x 2 matrix "turn clockwise by quarter turns, then mirror left and right": what is seen is mirrored.
const QUARTERS = [[1, 0, 0, 1], [0, -1, 1, 0], [-1, 0, 0, -1], [0, 1, -1, 0]];

function turnMatrix(rotation, flip) {
  const [a, b, c, d] = QUARTERS[(((rotation / 90) % 4) + 4) % 4];
  return flip ? [-a, -b, c, d] : [a, b, c, d];
}

// A quarter turn of what is seen: under a mirror the film itself turns the other way.
function turned(rotation, flip, quarters) {
  return (((rotation + (flip ? -90 : 90) * quarters) % 360) + 360) % 360;
}

// The affine map source -> screen of one pane, with its inverse.
class View {
  constructor(display, film, pane, ratio) {
    const turn = turnMatrix(display.rotation, display.flip);
    const aspect = film.aspect;
    this.zoom = display.zoom ?? fitZoom(film, pane, display.rotation);
    this.centre = display.centre ?? [film.columns / 2, film.rows / 2];
    const [a, c, b, d] = [turn[0], turn[1] * aspect, turn[2], turn[3] * aspect].map((part) => part * this.zoom);
    let e = pane.x + pane.width / 2 - a * this.centre[0] - c * this.centre[1];
    let f = pane.y + pane.height / 2 - b * this.centre[0] - d * this.centre[1];
    const device = this.zoom * ratio;
    if (aspect === 1 && device >= 1 && Math.abs(device - Math.round(device)) < 1e-9) {
      // Whole multiples show every pixel as it is: no source pixel may straddle two of the screen.
      [e, f] = [Math.round(e * ratio) / ratio, Math.round(f * ratio) / ratio];
    }
    this.matrix = [a, b, c, d, e, f];
    this.inverse = inverted(this.matrix);
    this.pane = pane;
  }

  toScreen(x, y) {
    return applied(this.matrix, x, y);
  }

  toSource(x, y) {
    return applied(this.inverse, x, y);
  }
}

const applied = ([a, b, c, d, e, f], x, y) => [a * x + c * y + e, b * x + d * y + f];

function inverted([a, b, c, d, e, f]) {
  const det = a * d - b * c;
  return [d / det, -b / det, -c / det, a / det, (c * f - d * e) / det, (b * e - a * f) / det];
}

function fitZoom(film, pane, rotation) {
  const [wide, tall] = [film.columns, film.rows * film.aspect];
  const [width, height] = rotation % 180 ? [tall, wide] : [wide, tall];
  return Math.max(1e-3, Math.min(pane.width / width, pane.height / height));
}

// The new centre that keeps the source point under a screen point where it is when the zoom changes.
function centreAfterZoom(view, zoom, x, y) {
  const [sourceX, sourceY] = view.toSource(x, y);
  const rest = view.zoom / zoom;
  return [sourceX + (view.centre[0] - sourceX) * rest, sourceY + (view.centre[1] - sourceY) * rest];
}

// Some part of the film always stays in sight.
function keptInSight(film, centre) {
  return [clamp(centre[0], 0, film.columns), clamp(centre[1], 0, film.rows)];
}

const OPPOSITE = { R: "L", L: "R", A: "P", P: "A", H: "F", F: "H" };

// Letters of the patient's directions at the four edges of what is seen; empty where the file does not say.
function orientationLetters(orientation, rotation, flip) {
  const letters = { left: "", right: "", top: "", bottom: "" };
  const [a, b, c, d] = turnMatrix(rotation, flip);
  const put = (letter, x, y) => {
    const edge = Math.abs(x) > Math.abs(y) ? (x > 0 ? "right" : "left") : y > 0 ? "bottom" : "top";
    letters[edge] = letter;
  };
  [[a, c], [b, d]].forEach(([x, y], axis) => {
    const letter = orientation[axis];
    if (!letter) return;
    put(letter, x, y);
    put([...letter].map((part) => OPPOSITE[part] ?? "").join(""), -x, -y);
  });
  return letters;
}

// Length between two source points in mm, or in pixels where the file gives no spacing.
function distance(film, [x0, y0], [x1, y1]) {
  const spacing = film.spacing;
  return spacing ? Math.hypot((x1 - x0) * spacing.column, (y1 - y0) * spacing.row) : Math.hypot(x1 - x0, y1 - y0);
}

// Panes side by side, or one that fills the stage; whole CSS pixels, so that every pane starts on a pixel.
function panesOf(width, height, sideBySide) {
  if (!sideBySide) return [{ x: 0, y: 0, width, height, film: true, overlay: true }];
  const half = Math.floor((width - 2) / 2);
  return [
    { x: 0, y: 0, width: half, height, film: true, overlay: false },
    { x: half + 2, y: 0, width: half, height, film: false, overlay: true },
  ];
}
