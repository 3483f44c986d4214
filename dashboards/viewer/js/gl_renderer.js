// Draws with the graphics card: whole numbers of 16 bits as textures, the window as a table, the map sampled bicubically
// for every pixel of the screen. Nothing is filtered by the card itself, so that the result is the same on every one.

const VERTEX = `#version 300 es
void main() {
  gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D film;
uniform usampler2D greys;
uniform sampler2D map;
uniform sampler2D colours;
uniform mat3x2 toSource;      // device pixels from the stage's top left corner -> source pixels
uniform vec2 size;            // of the film
uniform float shrink;         // source pixels per sample of the level
uniform float stageHeight;
uniform mat3x2 toGrid;
uniform bool overlaid;
uniform bool isSigned;
uniform float low, high, threshold;
out vec4 colour;

float stored(ivec2 at) {
  return float(texelFetch(film, clamp(at, ivec2(0), textureSize(film, 0) - 1), 0).r);
}

vec4 keys(float u) { // weights of the cells at -1, 0, 1, 2 for a point u behind cell 0
  vec4 t = abs(vec4(u + 1.0, u, 1.0 - u, 2.0 - u));
  vec4 near = (1.5 * t - 2.5) * t * t + 1.0;
  vec4 far = ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0;
  return vec4(far.x, near.y, near.z, far.w);
}

float evidence(vec2 grid) {
  ivec2 cells = textureSize(map, 0);
  if (any(lessThan(grid, vec2(0.0))) || any(greaterThan(grid, vec2(cells)))) return 0.0;
  vec2 at = grid - 0.5;
  vec2 base = floor(at);
  vec4 across = keys(at.x - base.x);
  vec4 down = keys(at.y - base.y);
  float sum = 0.0;
  for (int j = 0; j < 4; j++) {
    vec4 line;
    for (int i = 0; i < 4; i++) {
      line[i] = texelFetch(map, clamp(ivec2(base) + ivec2(i - 1, j - 1), ivec2(0), cells - 1), 0).r;
    }
    sum += down[j] * dot(across, line);
  }
  return sum;
}

void main() {
  vec2 source = toSource * vec3(gl_FragCoord.x, stageHeight - gl_FragCoord.y, 1.0);
  if (any(lessThan(source, vec2(0.0))) || any(greaterThanEqual(source, size))) {
    colour = vec4(7.0, 9.0, 11.0, 255.0) / 255.0;
    return;
  }
  vec2 at = source / shrink - 0.5;
  vec2 near = round(at);
  // A neighbour must not shine through where a pixel of the screen is a pixel of the film.
  at = mix(at, near, lessThan(abs(at - near), vec2(1e-3)));
  vec2 base = floor(at);
  vec2 part = at - base;
  ivec2 cell = ivec2(base);
  float top = mix(stored(cell), stored(cell + ivec2(1, 0)), part.x);
  float bottom = mix(stored(cell + ivec2(0, 1)), stored(cell + ivec2(1, 1)), part.x);
  int index = int(mix(top, bottom, part.y) + 0.5);
  float grey = float(texelFetch(greys, ivec2(index & 255, index >> 8), 0).r);
  vec3 shown = vec3(grey);
  if (overlaid) {
    float value = evidence(toGrid * vec3(source, 1.0));
    if (value > threshold || (isSigned && value < -threshold)) {
      int level = clamp(int(floor((value - low) / (high - low) * 255.0 + 0.5)), 0, 255);
      vec4 over = texelFetch(colours, ivec2(level, 0), 0);
      shown = floor(grey + over.a * (over.rgb - grey) + 0.5);
    }
  }
  colour = vec4(shown / 255.0, 1.0);
}`;

// Some browsers imitate a graphics card with the processor and do not own up: slower than drawing on a 2D canvas.
function isImitated(gl) {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  return /swiftshader|llvmpipe|software|basic render/i.test(info ? gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : "");
}

class GlRenderer {
  // Raises where the browser or the card cannot do it.
  constructor(canvas, { evenSlow }) {
    this.name = "webgl";
    this.canvas = canvas;
    const gl = canvas.getContext("webgl2", {
      alpha: false, antialias: false, depth: false, stencil: false, failIfMajorPerformanceCaveat: !evenSlow,
    });
    if (!gl || (!evenSlow && isImitated(gl))) throw new Error("no WebGL2 on a graphics card");
    this.gl = gl;
    this.program = this.link();
    this.places = new Proxy({}, { get: (kept, name) => (kept[name] ??= gl.getUniformLocation(this.program, name)) });
    this.textures = { greys: this.texture(), map: this.texture(), colours: this.texture(), levels: [] };
    this.sent = {};
    gl.bindVertexArray(gl.createVertexArray());
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  }

  static ratio() {
    return window.devicePixelRatio || 1;
  }

  link() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? "no program");
    gl.useProgram(program);
    ["film", "greys", "map", "colours"].forEach((name, unit) => gl.uniform1i(gl.getUniformLocation(program, name), unit));
    return program;
  }

  texture() {
    const { gl } = this;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
      gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
    }
    for (const wrap of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, wrap, gl.CLAMP_TO_EDGE);
    return texture;
  }

  setPixels(pixels) {
    const { gl } = this;
    const largest = gl.getParameter(gl.MAX_TEXTURE_SIZE);
    if (Math.max(pixels.rows, pixels.columns) > largest) throw new Error(`larger than a texture of ${largest}`);
    this.textures.levels.forEach((level) => gl.deleteTexture(level));
    this.textures.levels = pixels.levels.map(({ width, height, data }) => {
      const texture = this.texture();
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16UI, width, height, 0, gl.RED_INTEGER, gl.UNSIGNED_SHORT, data);
      return texture;
    });
    this.pixels = pixels;
    this.sent = {};
  }

  resize(width, height) {
    [this.canvas.width, this.canvas.height] = [width, height];
  }

  use(unit, texture) {
    this.gl.activeTexture(this.gl.TEXTURE0 + unit);
    this.gl.bindTexture(this.gl.TEXTURE_2D, texture);
  }

  draw(frame) {
    const { gl, places } = this;
    gl.disable(gl.SCISSOR_TEST);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(7 / 255, 9 / 255, 11 / 255, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.SCISSOR_TEST);
    this.sendGreys(frame.table);
    if (frame.overlay) this.sendOverlay(frame.overlay);
    gl.uniform1f(places.stageHeight, this.canvas.height);
    gl.uniform2f(places.size, this.pixels.columns, this.pixels.rows);
    for (const pane of frame.panes) this.drawPane(frame, pane);
  }

  drawPane(frame, pane) {
    const { gl, places } = this;
    const ratio = frame.ratio;
    const [a, b, c, d, e, f] = pane.view.inverse;
    const shrinks = this.pixels.level(Math.max(Math.abs(a), Math.abs(c)) / ratio);
    this.use(0, this.textures.levels[shrinks]);
    gl.uniform1f(places.shrink, 2 ** shrinks);
    gl.uniformMatrix3x2fv(places.toSource, false, [a / ratio, b / ratio, c / ratio, d / ratio, e, f]);
    gl.uniform1i(places.overlaid, pane.overlay && frame.overlay ? 1 : 0);
    const [x, y, width, height] = [pane.x, pane.y, pane.width, pane.height].map((part) => Math.round(part * ratio));
    gl.scissor(x, this.canvas.height - y - height, width, height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  sendGreys(table) {
    if (this.sent.greys === table) return;
    const { gl } = this;
    const whole = new Uint8Array(65536);
    whole.set(table);
    this.use(1, this.textures.greys);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8UI, 256, 256, 0, gl.RED_INTEGER, gl.UNSIGNED_BYTE, whole);
    this.sent.greys = table;
  }

  sendOverlay(overlay) {
    const { gl, places } = this;
    const { map } = overlay;
    if (this.sent.map !== map) {
      this.use(2, this.textures.map);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, map.width, map.height, 0, gl.RED, gl.FLOAT, map.values);
      this.sent.map = map;
    }
    if (this.sent.look !== overlay.look) {
      const texels = new Float32Array(1024);
      for (let level = 0; level < 256; level += 1) {
        texels.set(overlay.table.subarray(3 * level, 3 * level + 3), 4 * level);
        texels[4 * level + 3] = overlay.opacities[level];
      }
      this.use(3, this.textures.colours);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, 256, 1, 0, gl.RGBA, gl.FLOAT, texels);
      this.sent.look = overlay.look;
    }
    gl.uniformMatrix3x2fv(places.toGrid, false, [map.scaleX, 0, 0, map.scaleY, map.offsetX, map.offsetY]);
    gl.uniform1i(places.isSigned, overlay.signed ? 1 : 0);
    for (const name of ["low", "high", "threshold"]) gl.uniform1f(places[name], overlay[name]);
  }

  dispose() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.pixels = null;
  }
}
