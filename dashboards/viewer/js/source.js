// What a viewer needs before it can show anything: a film that has arrived, and a renderer that works here.

const remembered = new Map(); // decoded films by address, so that going back and forth does not download again
const MOST_REMEMBERED = 3;

// The word for why something could not be fetched.
function reasonOf(error) {
  const refused = error instanceof FilmError && ["401", "403"].includes(error.message);
  const gone = error instanceof FilmError && error.message === "404";
  return refused ? "film.refused" : gone ? "film.gone" : error instanceof FilmError ? "film.damaged" : "film.offline";
}

class Source {
  async load() {
    this.loading?.abort();
    const loading = (this.loading = new AbortController());
    const { film } = this;
    this.pixels = null;
    this.root.dataset.ready = "false";
    this.showMessage(this.words("film.loading"));
    try {
      const pixels = remembered.get(film.url) ?? (await fetchPixels(film, loading.signal));
      if (loading.signal.aborted) return;
      remembered.delete(film.url);
      remembered.set(film.url, pixels);
      if (remembered.size > MOST_REMEMBERED) remembered.delete(remembered.keys().next().value);
      this.pixels = pixels;
      this.kept = {};
      this.showMessage(null);
      this.handPixels();
      this.schedule();
    } catch (error) {
      if (!loading.signal.aborted) this.showFailure(error);
    }
  }

  // In the viewer's place until it is known what it shows; a viewer that stands already goes on as it is.
  wait({ frame, texts }, ...children) {
    this.waiting?.remove();
    if (this.data && !children.length) return;
    if (!children.length) children = [el("p", { role: "status" }, wordsOf(texts)("film.loading"))];
    this.waiting = el("div", { class: "waiting", style: `height: ${heightOf(frame)}` }, ...children);
    this.parent.append(this.waiting);
  }

  waitFailed(rest, error, load) {
    const words = wordsOf(rest.texts);
    const retry = el("button", { type: "button", class: "primary", onclick: load }, words("film.retry"));
    const told = el("p", { class: "strong", role: "alert" }, words("film.failed"));
    this.wait(rest, told, el("p", {}, words(reasonOf(error))), retry);
  }

  showMessage(text) {
    this.message.hidden = text === null;
    this.message.setAttribute("role", "status");
    this.message.replaceChildren(...(text === null ? [] : [el("p", {}, text)]));
  }

  showFailure(error) {
    const reason = this.words(reasonOf(error));
    const retry = el("button", { type: "button", class: "primary", onclick: () => this.load() }, this.words("film.retry"));
    this.message.hidden = false;
    this.message.setAttribute("role", "alert");
    this.message.replaceChildren(el("p", { class: "strong" }, this.words("film.failed")), el("p", {}, reason), retry);
    this.root.dataset.ready = "failed";
  }

  startRenderer(wanted) {
    this.renderer?.dispose();
    const canvas = el("canvas", {});
    canvas.addEventListener("webglcontextlost", () => canvas === this.canvas && this.fallBack("graphics.lost"));
    this.canvas.replaceWith(canvas);
    this.canvas = canvas;
    this.size = null;
    this.renderer = null;
    if (wanted !== "canvas") {
      try {
        this.renderer = new GlRenderer(canvas, { evenSlow: wanted === "webgl" });
      } catch {
        if (wanted === "webgl") this.tell("graphics.none");
        const fresh = el("canvas", {}); // a canvas that was asked for WebGL may refuse to be drawn on otherwise
        canvas.replaceWith(fresh);
        this.canvas = fresh;
      }
    }
    this.renderer ??= new CanvasRenderer(this.canvas);
    this.root.dataset.renderer = this.renderer.name;
    this.handPixels();
  }

  fallBack(reason) {
    if (this.renderer?.name !== "webgl" || this.calls < 0) return;
    this.renderer = null;
    this.startRenderer("canvas");
    this.tell(reason);
    this.schedule();
  }

  handPixels() {
    if (!this.pixels || !this.renderer) return;
    try {
      this.renderer.setPixels(this.pixels);
    } catch {
      this.fallBack("graphics.small");
    }
  }

  ratio() {
    return this.renderer.constructor.ratio();
  }
}
