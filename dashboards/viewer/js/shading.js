// How evidence becomes colour over grey: by value on one scale for the whole model, nothing up to the threshold.

const FAINTEST_SHARE = 0.12 / 0.52; // opacity of no evidence over that of full scale, as in the pictures of annotate

// Opacity of each of the 256 colours: the same everywhere, or rising with the square root of the value.
function opacities(colours, display) {
  return Float32Array.from({ length: 256 }, (_, level) => {
    const strength = colours.signed ? Math.abs((2 * level) / 255 - 1) : level / 255;
    const share = display.opacityMode === "constant" ? 1 : FAINTEST_SHARE + (1 - FAINTEST_SHARE) * Math.sqrt(strength);
    return display.opacity * share;
  });
}

// All that a renderer needs to lay one map over the film.
class Overlay {
  constructor(map, colours, scale, display, threshold) {
    this.map = map;
    this.table = colours.table;
    this.signed = colours.signed;
    this.low = colours.signed ? -scale : 0;
    this.high = scale;
    this.threshold = threshold;
    this.opacities = opacities(colours, display);
    this.look = [colours.name, scale, display.opacityMode, display.opacity].join();
  }

  level(value) {
    return clamp(Math.floor(((value - this.low) / (this.high - this.low)) * 255 + 0.5), 0, 255);
  }

  shows(value) {
    return value > this.threshold || (this.signed && value < -this.threshold);
  }

  // The CSS colour of a value, fully opaque.
  colour(value) {
    const at = 3 * this.level(value);
    return `rgb(${this.table[at]}, ${this.table[at + 1]}, ${this.table[at + 2]})`;
  }
}

// Pairs of samples along one axis of the screen: for each pixel of it two offsets into a level and the second's weight.
// `source` is the affine part of the axis: the source coordinate of screen position s is factor * s + offset.
function bilinearTaps(from, to, factor, offset, size, cells, shrink, stride) {
  const count = to - from;
  const taps = { first: new Int32Array(count), second: new Int32Array(count), weight: new Float32Array(count) };
  for (let i = 0; i < count; i += 1) {
    const at = clamp((factor * (from + i + 0.5) + offset) / shrink - 0.5, 0, cells - 1);
    // Rounding must not let a neighbour shine through where a pixel of the screen is a pixel of the film.
    const near = Math.round(at);
    const base = Math.abs(at - near) < 1e-3 ? near : Math.floor(at);
    taps.first[i] = base * stride;
    taps.second[i] = Math.min(base + 1, cells - 1) * stride;
    taps.weight[i] = base === near && Math.abs(at - near) < 1e-3 ? 0 : at - base;
  }
  return taps;
}

// The pixels of a screen axis whose centres lie on a source axis of a given length: [from, to).
function span(factor, offset, length, low, high) {
  const ends = [-offset / factor, (length - offset) / factor].sort((p, q) => p - q);
  const from = clamp(Math.ceil(ends[0] - 0.5 - 1e-6), low, high);
  return [from, Math.max(from, clamp(Math.ceil(ends[1] - 0.5 - 1e-6), low, high))];
}
