// The help sheet: every key and every use of the pointer, and what a map can and cannot tell.

class Help {
  constructor(viewer) {
    const { words } = viewer;
    this.words = words;
    this.open = false;
    const rows = (entries) => el("dl", {}, ...entries.flatMap(([key, text]) => [
      el("dt", {}, ...[key].flat().map((name) => el("kbd", {}, name))), el("dd", {}, text)]));
    const section = (title, entries) => el("section", {}, el("h3", {}, words(`help.${title}`)), rows(entries));
    this.close = el("button", { type: "button", class: "plain", onclick: () => this.show(false) }, words("help.close"));
    const keys = KEYS.map(([title, entries]) => section(title,
      entries.map(([key, action]) => [keyName(key), words(`action.${action}`)])));
    const arrows = section("arrows", ARROWS.map(([key, text]) => [words(`key.${key}`), words(text)]));
    const pointer = section("pointer", POINTER.map((name) => [words(`pointer.${name}`), words(`pointer.${name}.does`)]));
    this.sheet = el("div", { class: "sheet", role: "dialog", "aria-modal": "true", "aria-labelledby": "help-title", hidden: true },
      el("header", {}, el("h2", { id: "help-title" }, words("help.title")), this.close),
      el("div", { class: "columns", tabindex: "0", role: "region", "aria-labelledby": "help-title" }, ...keys, arrows, pointer),
      el("p", { class: "caution" }, words("help.caution"), " ", misleading(viewer)));
    this.sheet.addEventListener("keydown", (event) => this.keepFocus(event));
  }

  show(open) {
    if (open === this.open) return;
    this.open = open;
    this.sheet.hidden = !open;
    const tree = this.sheet.getRootNode();
    if (open) {
      this.before = tree.activeElement;
      this.close.focus();
    } else this.before?.focus();
  }

  // Two places can have the focus: Tab goes from one to the other.
  keepFocus(event) {
    if (event.key !== "Tab") return;
    event.preventDefault();
    const columns = this.sheet.querySelector(".columns");
    (this.sheet.getRootNode().activeElement === this.close ? columns : this.close).focus();
  }
}
