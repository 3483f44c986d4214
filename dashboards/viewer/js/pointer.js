// Mouse, pen and finger on the stage. Left: the chosen tool, or the region that lies under it. Right: window. Middle: pan.

const WINDOW_PER_PIXEL = 1 / 700; // of the film's range
const WHEEL_ZOOM = 1 / 500;
const OUTLINE_STEP = 4; // CSS pixels between corners drawn by hand
const OUTLINE_TOLERANCE = 1.2; // CSS pixels that a corner may be off when it is left out

class Pointer {
  constructor(viewer, stage) {
    this.viewer = viewer;
    this.stage = stage;
    this.drag = null;
    const on = (name, handler, options) => stage.addEventListener(name, handler, options);
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", () => this.end());
    on("pointerleave", () => viewer.hover(null));
    on("contextmenu", (event) => event.preventDefault());
    on("auxclick", (event) => event.preventDefault());
    on("wheel", (event) => this.wheel(event), { passive: false });
  }

  at(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  wheel(event) {
    event.preventDefault();
    if (!this.viewer.ready) return;
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.viewer.zoomAt(Math.exp(-clamp(event.deltaY * lines, -400, 400) * WHEEL_ZOOM), this.at(event));
  }

  down(event) {
    if (!this.viewer.ready || this.drag || event.target.closest("button")) return;
    const at = this.at(event);
    const view = this.viewer.viewAt(at);
    if (!view) return;
    this.stage.setPointerCapture(event.pointerId);
    this.stage.focus({ preventScroll: true });
    event.preventDefault();
    const point = onFilm(this.viewer.film, view.toSource(...at));
    const tool = event.button === 2 ? "window" : event.button === 1 ? "pan" : this.viewer.tool;
    this.drag = this.grip(event, view, at, point) ?? this.started(tool, view, at, point);
    this.stage.dataset.dragging = this.drag.kind;
  }

  // The corrected region is taken hold of before any tool but the one that draws outlines.
  grip(event, view, at, point) {
    const { region, tool } = this.viewer;
    if (event.button !== 0 || !region || (region.kind === "outline" && !region.closed)) return null;
    const held = region.grip(view, ...at);
    if (held === null || (held === "inside" && !["pan", "box", "outline"].includes(tool))) return null;
    if (held === "inside") return { kind: "carry", view, point };
    return { kind: "reshape", view, handle: held, from: boxOf(region.points) };
  }

  started(tool, view, at, point) {
    const { viewer } = this;
    if (tool === "window") return { kind: "window", at, start: adjustable(viewer.film, viewer.window()) };
    if (tool === "ruler") {
      viewer.ruler = [point, point];
      return { kind: "ruler", view };
    }
    if (tool === "box") {
      viewer.setRegion(DrawnRegion.box(...point, ...point));
      return { kind: "reshape", view, handle: 4, from: boxOf([point]), fresh: true };
    }
    if (tool === "outline") {
      if (!viewer.region || viewer.region.kind !== "outline" || viewer.region.closed) {
        viewer.setRegion(new DrawnRegion("outline", []));
      }
      viewer.actions.addCorner(point, view, at);
      return { kind: "outline", view, at, path: [at] };
    }
    return { kind: "pan", at, view };
  }

  move(event) {
    const at = this.at(event);
    const { viewer, drag } = this;
    if (!viewer.ready) return;
    viewer.hover(at);
    if (drag && this.gone(drag)) return;
    if (!drag) {
      this.stage.dataset.over = this.over(at);
      return;
    }
    const point = drag.view ? onFilm(viewer.film, drag.view.toSource(...at)) : null;
    if (drag.kind === "window") this.dragWindow(drag, at);
    else if (drag.kind === "pan") this.dragPan(drag, at);
    else if (drag.kind === "outline") this.dragOutline(drag, at, point);
    else if (drag.kind === "ruler") viewer.ruler = [viewer.ruler[0], point];
    else if (drag.kind === "reshape") viewer.region.reshape(drag.handle, point, drag.from);
    else if (drag.kind === "carry") {
      viewer.region.move(point[0] - drag.point[0], point[1] - drag.point[1], viewer.film);
      drag.point = point;
    }
    viewer.schedule();
  }

  // A key may have taken away what is being dragged.
  gone(drag) {
    if (drag.kind === "ruler") return !this.viewer.ruler;
    return ["reshape", "carry", "outline"].includes(drag.kind) && !this.viewer.region;
  }

  over(at) {
    const { viewer } = this;
    const view = viewer.viewAt(at);
    const held = view && viewer.region?.closed ? viewer.region.grip(view, ...at) : null;
    if (held === null) return "";
    return held === "inside" ? "carry" : "handle";
  }

  dragWindow(drag, at) {
    const up = this.viewer.film.window.mirror === null ? 1 : -1;
    const right = (at[0] - drag.at[0]) * WINDOW_PER_PIXEL;
    const down = (at[1] - drag.at[1]) * WINDOW_PER_PIXEL * up;
    this.viewer.change({ window: draggedWindow(drag.start, right, down, this.viewer.range()) }, true);
  }

  dragPan(drag, at) {
    const [x, y] = drag.view.toSource(...at);
    const [x0, y0] = drag.view.toSource(...drag.at);
    const centre = keptInSight(this.viewer.film, [drag.view.centre[0] + x0 - x, drag.view.centre[1] + y0 - y]);
    this.viewer.change({ zoom: drag.view.zoom, centre }, true);
  }

  dragOutline(drag, at, point) {
    const last = drag.path[drag.path.length - 1];
    if (this.viewer.region.closed) return; // by a corner on top of the first
    if (Math.hypot(at[0] - last[0], at[1] - last[1]) < OUTLINE_STEP) return;
    drag.path.push(at);
    this.viewer.region.points.push(point);
  }

  up(event) {
    const { drag, viewer } = this;
    if (!drag) return;
    this.stage.releasePointerCapture(event.pointerId);
    if (this.gone(drag)) {
      this.end();
      return;
    }
    if (drag.kind === "ruler" && viewer.ruler[0] === viewer.ruler[1]) viewer.ruler = null;
    if (drag.kind === "reshape" && drag.fresh && !viewer.region.whole()) viewer.setRegion(null);
    // A line drawn by hand closes itself; single corners wait for the next.
    if (drag.kind === "outline" && drag.path.length > 6) {
      viewer.region.points = simplified(viewer.region.points, OUTLINE_TOLERANCE / drag.view.zoom);
      viewer.actions.closeOutline();
    }
    this.end();
  }

  end() {
    const held = ["reshape", "carry", "outline"].includes(this.drag?.kind);
    this.drag = null;
    delete this.stage.dataset.dragging;
    if (held) this.viewer.regionChanged();
    this.viewer.schedule();
  }
}
