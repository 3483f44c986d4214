// The row of tools above the film, and the line of figures below it.

class Toolbar {
  constructor(viewer) {
    const { words, actions } = viewer;
    this.viewer = viewer;
    this.pressed = new Map();
    const button = (action, content, isPressed = null) => {
      const label = `${words(`action.${action}`)} (${keyName(KEY_OF.get(action))})`;
      const made = el("button", { type: "button", title: label, "aria-label": label, onclick: () => actions[action]() }, content);
      if (isPressed) this.pressed.set(made, isPressed);
      return made;
    };
    const group = (label, ...buttons) => el("div", { class: "group", role: "group", "aria-label": words(label) }, ...buttons);
    const flagged = (name) => button(name, icon(name), () => viewer.display[name]);
    this.element = el("div", { class: "toolbar", role: "toolbar", "aria-label": words("toolbar") },
      group("help.tools", ...viewer.tools().map((tool) => button(`tool.${tool}`, icon(tool), () => viewer.tool === tool))),
      group("help.window", ...PRESET_NAMES.map((name) => button(`window.${name}`, words(`preset.${name}`))), flagged("invert")),
      group("help.view", button("zoomOut", icon("zoomOut")), button("zoomIn", icon("zoomIn")), button("fit", icon("fit")),
        button("oneToOne", "1:1"), button("turn", icon("turn")), flagged("flip"),
        viewer.link.group ? button("link", icon("link"), () => viewer.link.on) : flagged("sideBySide")),
      group("help.title", button("help", icon("help"))));
  }

  sync() {
    for (const [button, isPressed] of this.pressed) put(button, { "aria-pressed": isPressed() });
  }
}

class Status {
  constructor(viewer) {
    this.viewer = viewer;
    this.cursor = el("span", { class: "cursor-words", "data-role": "cursor" });
    this.ruler = el("span", { "data-role": "ruler" });
    this.window = el("span", { "data-role": "window" });
    this.zoom = el("span", { "data-role": "zoom" });
    this.live = el("span", { class: "live", role: "status", "aria-live": "polite" });
    this.element = el("div", { class: "status" }, this.cursor, this.ruler, this.live, this.window, this.zoom);
  }

  sync() {
    const { viewer } = this;
    const { words } = viewer;
    const shown = viewer.window();
    const zoom = viewer.views[0].zoom * viewer.ratio();
    say(this.cursor, this.cursorWords());
    say(this.ruler, viewer.ruler ? viewer.rulerWords() : "");
    say(this.window, shown.function === "TABLE" ? words("status.table")
      : words("status.window", { centre: plain(shown.center, 1), width: plain(shown.width, 1) }));
    say(this.zoom, words("status.zoom", { percent: plain(100 * zoom) }));
  }

  cursorWords() {
    const { viewer } = this;
    const { words, film } = viewer;
    const at = viewer.pointed;
    if (!at) return words("status.idle");
    const stored = viewer.pixels.at(...at);
    if (stored === null) return words("status.outside");
    const finding = viewer.finding();
    const evidence = finding ? evidenceAt(finding.map, ...at) : null;
    const place = words("status.place", { x: Math.floor(at[0]), y: Math.floor(at[1]), value: plain(fileValue(film, stored), 2) });
    if (!finding) return place;
    if (evidence === null) return `${place} · ${words("status.unseen")}`;
    return `${place} · ${words(finding.ledger ? "status.evidence" : "status.map", { value: signed(evidence) })}`;
  }
}
