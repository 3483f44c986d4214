// The display window: the same float32 arithmetic as DisplayWindow.apply in Python, over a table of stored numbers.

const f32 = Math.fround;

// Rounds halves to even, as numpy.rint does.
function rint(value) {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest === 0.5) return down % 2 === 0 ? down : down + 1;
  return rest < 0.5 ? down : down + 1;
}

// What is shown of a film: its own window, or a function with centre and width that replaces it.
function shownWindow(film, changed) {
  return changed ? { ...film.window, ...changed, table: null } : film.window;
}

function brightness(window, value) {
  const { center, width } = window;
  switch (window.function) {
    case "TABLE": {
      const index = clamp(rint(f32(value - f32(window.firstMapped))), 0, window.table.length - 1);
      return window.table[index];
    }
    case "SIGMOID": {
      const exponent = clamp(f32(f32(-4 * f32(value - f32(center))) / f32(width)), -80, 80);
      return f32(1 / f32(1 + f32(Math.exp(exponent))));
    }
    case "LINEAR_EXACT":
      return clamp(f32(f32(f32(value - f32(center)) / f32(width)) + 0.5), 0, 1);
    default:
      if (width === 1) return value > f32(center - 0.5) ? 1 : 0;
      return clamp(f32(f32(f32(value - f32(center - 0.5)) / f32(width - 1)) + 0.5), 0, 1);
  }
}

// The pixel value of a stored number, in "denser is brighter" polarity.
const pixelValue = (film, stored) => f32(film.slope * stored + film.intercept);

// The value before polarity was normalised: the one that centre and width are about.
function fileValue(film, stored) {
  const pixel = pixelValue(film, stored);
  return film.window.mirror === null ? pixel : f32(f32(film.window.mirror) - pixel);
}

// Grey 0..255 of every stored number from 0 to the film's highest.
function greyTable(film, window, invert, highest) {
  const table = new Uint8Array(highest + 1);
  for (let stored = 0; stored <= highest; stored += 1) {
    let shown = brightness(window, fileValue(film, stored));
    if (window.mirror !== null) shown = f32(1 - shown);
    const grey = rint(f32(shown * 255));
    table[stored] = invert ? 255 - grey : grey;
  }
  return table;
}

// Parts of the grey values that a preset spans, in percent of the film's pixels; lungs are dark, bones are bright.
const PRESETS = { lung: [1, 60], soft: [20, 95], bone: [45, 99.8] };

// Centre and width between two file values; the exact linear function needs no half steps.
function windowBetween(first, second) {
  const [low, high] = first < second ? [first, second] : [second, first];
  return { function: "LINEAR_EXACT", center: (low + high) / 2, width: Math.max(high - low, 1e-6) };
}

function presetWindow(film, pixels, name) {
  if (name === "file") return null;
  const [low, high] = name === "full" ? [pixels.lowest, pixels.highest] : PRESETS[name].map((p) => pixels.percentile(p));
  return windowBetween(fileValue(film, low), fileValue(film, Math.max(high, low + 1)));
}

// What a drag starts from. A table has no centre and no width: its whole range stands for them.
function adjustable(film, window) {
  if (window.function !== "TABLE") return { function: window.function, center: window.center, width: window.width };
  return windowBetween(window.firstMapped, window.firstMapped + window.table.length - 1);
}

// A window moved by fractions of the film's range: right widens, up darkens, as on most viewers.
function draggedWindow(start, right, down, range) {
  const smallest = start.function === "LINEAR" ? 1 : range / 65536;
  const width = Math.max(start.width + right * range, smallest);
  return { function: start.function, center: start.center - down * range, width };
}
