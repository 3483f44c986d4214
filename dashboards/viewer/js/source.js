// What a viewer needs before it can show anything: a film that has arrived, and a renderer that works here.

const remembered = new Map(); // decoded films by address, so that going back and forth does not download again
const MOST_REMEMBERED = 3;

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

  showMessage(text) {
    this.message.hidden = text === null;
    this.message.setAttribute("role", "status");
    this.message.replaceChildren(...(text === null ? [] : [el("p", {}, text)]));
  }

  showFailure(error) {
    const refused = error instanceof FilmError && ["401", "403"].includes(error.message);
    const gone = error instanceof FilmError && error.message === "404";
    const reason = this.words(refused ? "film.refused" : gone ? "film.gone" : error instanceof FilmError ? "film.damaged" : "film.offline");
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
