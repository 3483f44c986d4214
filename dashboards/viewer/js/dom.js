// Small makers of elements. Names from files only ever become text, never markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const el = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);

function put(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    const text = String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

const say = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

// Words from the catalogue that Python sent, with {names} filled in.
function wordsOf(texts) {
  return (key, values = {}) => (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

function signed(value, digits = 3) {
  const words = value.toFixed(digits);
  if (Number(words) === 0) return (0).toFixed(digits);
  return value < 0 ? `\u2212${words.slice(1)}` : `+${words}`;
}

// A number without needless digits, with a true minus sign.
function plain(value, digits = 0) {
  const words = value.toFixed(digits);
  const short = words.includes(".") ? words.replace(/\.?0+$/, "") : words;
  return (short === "-0" ? "0" : short).replace("-", "\u2212");
}

// Strokes of the icons on a field of 20 x 20; a path with "*" before it is filled.
const ICONS = {
  pan: ["M10 2.5v15M2.5 10h15M8 4.5l2-2 2 2M8 15.5l2 2 2-2M4.5 8l-2 2 2 2M15.5 8l2 2-2 2"],
  window: ["M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14z", "*M10 3a7 7 0 0 1 0 14z"],
  ruler: ["M2.5 13.5l11-11 4 4-11 11z", "M5 11l1.6 1.6M7.3 8.7l2.4 2.4M9.6 6.4l1.6 1.6M11.9 4.1l2.4 2.4"],
  box: ["M4 5h12v10H4z", "*M3 4h2.4v2.4H3zM14.6 4H17v2.4h-2.4zM3 13.6h2.4V16H3zM14.6 13.6H17V16h-2.4z"],
  outline: ["M4 12c-2-4 1-9 6-8.5c5 .5 7.5 4 5.5 8c-1.8 3.6-9.5 4.5-11.5 .5z"],
  fit: ["M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4", "M7 7h6v6H7z"],
  zoomIn: ["M8.5 3a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11zM12.5 12.5L17 17M6 8.5h5M8.5 6v5"],
  zoomOut: ["M8.5 3a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11zM12.5 12.5L17 17M6 8.5h5"],
  invert: ["M3 3h14v14H3z", "*M3 17L17 3v14z"],
  turn: ["M16 10a6 6 0 1 1-2-4.5M14.5 2v4h-4"],
  flip: ["M10 3v14", "*M8 6v8H2.5z", "M12 6v8h5.5z"],
  sideBySide: ["M3 4h14v12H3zM10 4v12"],
  link: ["M8.5 6.5l2-2a3.2 3.2 0 0 1 4.8 4.6l-2.3 2.3a3.2 3.2 0 0 1-4.6 0", "M11.5 13.5l-2 2a3.2 3.2 0 0 1-4.8-4.6l2.3-2.3a3.2 3.2 0 0 1 4.6 0"],
  help: ["M7.2 7.5c0-4 5.8-3.8 5.8-.5c0 2.2-3 2.2-3 4.5M10 14.5v.6"],
};

function icon(name) {
  const strokes = ICONS[name].map((d) => (d[0] === "*"
    ? svg("path", { d: d.slice(1), class: "solid" }) : svg("path", { d, class: "stroke" })));
  return svg("svg", { viewBox: "0 0 20 20", class: "icon", "aria-hidden": "true", focusable: "false" }, ...strokes);
}
