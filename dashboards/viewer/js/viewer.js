// The viewer: holds what is shown, and draws one frame for any number of changes. Nothing here asks the server but the
// download of a film, and a region that a reader confirms.

const SETTLED = 140; // milliseconds without change after which a coarse frame is drawn in full
const LOWEST = 420; // CSS pixels: a window that is lower than the viewer is scrolled
const LIMITS = [0.02, 32]; // zoom, CSS pixels for each source pixel
const heightOf = ({ height, room }) => `min(${height}px, max(${LOWEST}px, 100vh - ${room}px))`;

class Viewer extends Source {
  constructor(parent) {
    super();
    this.parent = parent;
    this.calls = 0;
    this.tool = "pan";
    this.region = this.ruler = this.cursor = this.pointed = null;
    this.views = [];
    this.kept = {};
    this.link = new Link(this);
  }

  // Builds the page once, when the words are known.
  build() {
    this.words = wordsOf(this.data.texts);
    this.actions = actionsOf(this);
    this.help = new Help(this);
    this.toolbar = new Toolbar(this);
    this.status = new Status(this);
    this.panel = new Panel(this);
    this.canvas = el("canvas", {});
    this.layer = svg("svg", { class: "marks", "aria-hidden": "true" });
    this.marks = new Marks(this.layer, this.words);
    this.message = el("div", { class: "message", hidden: true });
    this.notice = el("div", { class: "notice", role: "alert", hidden: true });
    this.stage = el("div", { class: "stage", tabindex: "0", role: "application", "aria-roledescription": this.words("viewer") },
      this.canvas, this.layer, this.message, this.notice);
    this.root = el("div", { class: "medcam-viewer", "data-ready": "false", "data-layout": this.raw.frame.layout },
      this.toolbar.element, el("div", { class: "body" }, this.stage, this.panel.element), this.status.element, this.help.sheet);
    this.root.addEventListener("keydown", (event) => onKey(this, event));
    new Pointer(this, this.stage);
    this.parent.append(this.root);
    this.observer = new ResizeObserver(() => this.schedule());
    this.observer.observe(this.stage);
  }

  // Another language, or another frame.
  rebuild(changed) {
    this.observer.disconnect();
    this.root.remove();
    this.build();
    if (!this.tools().includes(this.tool)) this.tool = "pan";
    changed.renderer = changed.findings = true;
  }

  // The number of a call of Streamlit, which a later one replaces.
  expect() {
    return (this.calls += 1);
  }

  // What Python sends, at first and again after each run of the page.
  update(raw, send) {
    const first = !this.data;
    const differs = (part) => this.raw?.[part] !== raw[part] && JSON.stringify(this.raw?.[part]) !== JSON.stringify(raw[part]);
    this.waiting?.remove();
    const changed = Object.fromEntries(["film", "findings", "colours", "display", "renderer", "texts", "frame"].map((part) => [part, differs(part)]));
    if (first || ["film", "findings", "colours", "zones", "scale", "zoneScale", "texts"].some(differs)) this.data = decoded(raw);
    this.raw = raw;
    this.sendValue = send;
    if (first) this.build();
    else if (changed.texts || changed.frame) this.rebuild(changed);
    this.root.style.height = heightOf(raw.frame);
    if (changed.film || changed.display) this.display = { ...raw.display };
    if (changed.film) {
      this.region = this.ruler = this.cursor = this.pointed = null;
    }
    if (first || changed.findings || changed.colours) this.panel.build();
    this.kept = {};
    if (changed.renderer) this.startRenderer(raw.renderer);
    if (changed.film) this.load();
    put(this.stage, { "aria-label": this.words("stage", { title: this.film.title }) });
    this.schedule();
  }

  // Taken off the page, unless Streamlit has called again since.
  release(call) {
    if (call !== this.calls) return;
    this.observer?.disconnect();
    this.link.leave();
    this.loading?.abort();
    clearTimeout(this.settling);
    cancelAnimationFrame(this.frame);
    this.renderer?.dispose();
    this.waiting?.remove();
    this.root?.remove();
    this.calls = -1;
  }

  get film() {
    return this.data.film;
  }

  get ready() {
    return Boolean(this.pixels && this.views.length);
  }

  // --- what is shown

  finding() {
    return this.data.findings.find((finding) => finding.name === this.display.finding) ?? this.data.findings[0];
  }

  colours() {
    return this.data.colours.find((table) => table.name === this.display.colours) ?? this.data.colours[0];
  }

  window() {
    return shownWindow(this.film, this.display.window);
  }

  threshold() {
    return this.display.threshold ?? this.finding()?.mapThreshold ?? 0;
  }

  setThreshold(value, moving = false) {
    this.change({ threshold: clamp(value, 0, this.scale()) }, moving);
  }

  // Logit units at full colour: the finding's own, the same for every film of the model, or one for all findings.
  scale() {
    return this.finding()?.scale ?? this.data.scale;
  }

  // Pixel units from the darkest to the brightest pixel of the film.
  range() {
    return Math.max(this.film.slope * (this.pixels.highest - this.pixels.lowest), 1e-6);
  }

  hasZones() {
    return Boolean(this.finding()?.zones && this.data.zones.length);
  }

  zoneScale() {
    const values = this.data.findings.flatMap((finding) => Object.values(finding.zones ?? {})).map(Math.abs);
    return this.data.zoneScale ?? Math.max(1e-9, ...values);
  }

  // The map to lay over the film; null without findings or colours.
  overlay() {
    const finding = this.finding();
    if (!finding || !this.colours()) return null;
    return new Overlay(finding.map, this.colours(), this.scale(), this.display, this.threshold());
  }

  // A change that was made here; viewers that are linked to this one follow.
  change(patch, moving = false) {
    this.show(patch, moving);
    this.link.tell(patch, moving);
  }

  show(patch, moving = false) {
    // A threshold belongs to the finding that it was chosen for: another one has another scale.
    if (patch.finding && patch.finding !== this.finding()?.name) patch = { threshold: null, ...patch };
    Object.assign(this.display, patch);
    if (moving) this.moved = performance.now();
    this.schedule();
  }

  step(name, list, by) {
    if (!list.length) return;
    const now = list.indexOf(name === "finding" ? this.finding() : this.colours());
    const next = list[(now + by + list.length) % list.length];
    this.change({ [name]: next.name });
    this.announce(next.label);
  }

  turn(quarters) {
    const { rotation, flip } = this.display;
    this.change({ rotation: turned(rotation, flip, quarters) });
  }

  // What may be done with the pointer: a region is drawn only where somebody takes it.
  tools() {
    return this.raw.frame.drawing ? TOOLS : TOOLS.filter((tool) => !DRAWING.includes(tool));
  }

  setTool(tool) {
    if (!this.tools().includes(tool)) return false;
    this.tool = tool;
    if (!["ruler", "outline"].includes(tool)) this.cursor = null;
    this.announce(this.words(`action.tool.${tool}`));
    this.schedule();
    return true;
  }

  viewAt([x, y]) {
    return this.views.find(({ pane }) => x >= pane.x && x < pane.x + pane.width && y >= pane.y && y < pane.y + pane.height);
  }

  middle() {
    const { pane } = this.views[0] ?? { pane: { x: 0, y: 0, width: 0, height: 0 } };
    return [pane.x + pane.width / 2, pane.y + pane.height / 2];
  }

  zoomAt(factor, at) {
    const view = this.viewAt(at);
    if (!view) return;
    const zoom = clamp(view.zoom * factor, ...LIMITS);
    this.change({ zoom, centre: keptInSight(this.film, centreAfterZoom(view, zoom, ...at)) }, true);
  }

  hover(at) {
    const view = at && this.viewAt(at);
    this.pointed = view ? view.toSource(...at) : null;
    if (this.ready) say(this.status.cursor, this.status.cursorWords());
  }

  moveCursor(point) {
    this.cursor = this.pointed = point;
    this.schedule();
  }

  rulerWords() {
    const { spacing } = this.film;
    const length = plain(distance(this.film, ...this.ruler), 1);
    return this.words(spacing ? (spacing.atPatient ? "ruler.patient" : "ruler.detector") : "ruler.pixels", { length });
  }

  // --- the corrected region

  setRegion(region) {
    this.region = region;
    this.schedule();
  }

  regionChanged() {
    const { region } = this;
    if (region?.closed) {
      const { left, top, right, bottom } = boxOf(region.points);
      this.announce(this.words("region.changed", { width: plain(right - left), height: plain(bottom - top), x: plain(left), y: plain(top) }));
    }
    this.schedule();
  }

  // Hands a region to Python, with how the film was shown. Without one that is whole and new there is nothing to do.
  send() {
    const { region } = this;
    if (!region?.closed || !region.whole() || region.sent) return false;
    region.sent = true;
    const { zoom, centre } = this.views[0];
    const display = { ...this.display, finding: this.finding()?.name ?? "", colours: this.colours()?.name ?? "", zoom, centre, threshold: this.threshold() };
    this.sendValue("region", { finding: display.finding, kind: region.kind, points: region.sentPoints(), display });
    this.announce(this.words("region.sent"));
    this.schedule();
    return true;
  }

  // --- words

  announce(text) {
    say(this.status.live, text);
  }

  // Aloud and in sight, until it is put away.
  tell(key) {
    const close = el("button", { type: "button", class: "plain", onclick: () => (this.notice.hidden = true) }, this.words("notice.close"));
    this.notice.replaceChildren(el("span", {}, this.words(key)), close);
    this.notice.hidden = false;
  }

  schedule() {
    if (this.calls < 0) return;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      drawFrame(this);
    });
  }
}
