// The keyboard: one table for what keys do, what buttons say of them, and the help sheet.
// N, P, A, D, G, H, M, 2 belong to the page around the viewer, R and C to Streamlit; keys with Ctrl, Alt or Meta to the browser.

const KEYS = [
  ["view", [
    ["+", "zoomIn"], ["-", "zoomOut"], ["0", "fit"], ["1", "oneToOne"], ["t", "turn"], ["T", "turnBack"], ["f", "flip"],
    ["y", "sideBySide"], ["3", "link"],
  ]],
  ["window", [
    ["i", "invert"], ["5", "window.file"], ["6", "window.full"], ["7", "window.lung"], ["8", "window.soft"],
    ["9", "window.bone"],
  ]],
  ["map", [
    ["s", "nextFinding"], ["S", "previousFinding"], ["o", "overlay"], ["k", "contour"], ["j", "boxes"], ["z", "zones"],
    ["q", "nextColours"], ["e", "opacityMode"], ["[", "lessOpaque"], ["]", "moreOpaque"], [",", "lowerThreshold"],
    [".", "higherThreshold"],
  ]],
  ["tools", [
    ["v", "tool.pan"], ["w", "tool.window"], ["u", "tool.ruler"], ["b", "tool.box"], ["l", "tool.outline"],
  ]],
  ["region", [
    ["x", "place"], ["Backspace", "back"], ["Enter", "confirm"], ["Delete", "remove"], ["Escape", "leave"],
  ]],
];
const ARROWS = [["arrows", "arrows.pan"], ["arrows", "arrows.window"], ["arrows", "arrows.region"],
  ["shiftArrows", "arrows.grow"], ["arrows", "arrows.cursor"]];
const POINTER = ["drag", "rightDrag", "middleDrag", "wheel", "handles"];

const ACTION_OF = new Map(KEYS.flatMap(([, rows]) => rows).concat([["=", "zoomIn"], ["_", "zoomOut"], ["?", "help"]]));
const KEY_OF = new Map(KEYS.flatMap(([, rows]) => rows.map(([key, action]) => [action, key])).concat([["help", "?"]]));
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const keyName = (key) => (/^[A-Z]$/.test(key) ? `Shift+${key}` : key.length === 1 ? key.toUpperCase() : key);

// A Latin letter whatever the keyboard's alphabet is: a reader who writes Hangul presses the same keys.
function latin(event) {
  if (event.key.length > 1 || event.key.charCodeAt(0) < 128) return event.key;
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1] ?? "";
  return event.shiftKey ? letter : letter.toLowerCase();
}

// Whether a control that has the focus needs a key itself.
function belongsToControl(target, key) {
  if (target.matches("input[type=range], [role=radio]")) return key in STEPS || ["Home", "End", "PageUp", "PageDown"].includes(key);
  return key === "Enter" && target.matches("button, [role=radio]");
}

function onKey(viewer, event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const key = latin(event);
  if (viewer.help.open) {
    if (key === "Escape" || key === "?") viewer.help.show(false);
    else if (key === "Tab") return;
  } else if (belongsToControl(event.target, key)) {
    return;
  } else if (key in STEPS) {
    viewer.actions.arrow(STEPS[key], event.shiftKey);
  } else {
    const action = ACTION_OF.get(key);
    if (!action || viewer.actions[action]() === false) return;
  }
  event.preventDefault();
  event.stopPropagation();
}
