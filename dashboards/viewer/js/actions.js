// What buttons and keys do. An action that has nothing to do returns false, so that its key goes on to the page.

const ZOOM_STEP = 1.25;
const ARROW_SHARE = 0.04; // of the pane, for each press
const CURSOR_STEP = 6; // CSS pixels
const WINDOW_STEP = 0.02; // of the film's range
const TOOLS = ["pan", "window", "ruler", "box", "outline"];
const DRAWING = ["box", "outline"];
const PRESET_NAMES = ["file", "full", "lung", "soft", "bone"];

function actionsOf(viewer) {
  const flag = (name) => () => viewer.change({ [name]: !viewer.display[name] });
  const middle = () => viewer.middle();
  const actions = {
    zoomIn: () => viewer.zoomAt(ZOOM_STEP, middle()),
    zoomOut: () => viewer.zoomAt(1 / ZOOM_STEP, middle()),
    fit: () => viewer.change({ zoom: null, centre: null }),
    oneToOne: () => viewer.change({ zoom: 1 / viewer.ratio(), centre: viewer.views[0].centre }),
    turn: () => viewer.turn(1),
    turnBack: () => viewer.turn(-1),
    flip: flag("flip"),
    sideBySide: flag("sideBySide"),
    invert: flag("invert"),
    overlay: flag("overlay"),
    contour: flag("contour"),
    boxes: flag("boxes"),
    zones: () => (viewer.hasZones() ? viewer.change({ zones: !viewer.display.zones }) : viewer.announce(viewer.words("zones.none"))),
    opacityMode: () => viewer.change({ opacityMode: viewer.display.opacityMode === "value" ? "constant" : "value" }),
    lessOpaque: () => viewer.change({ opacity: clamp(viewer.display.opacity - 0.05, 0, 1) }),
    moreOpaque: () => viewer.change({ opacity: clamp(viewer.display.opacity + 0.05, 0, 1) }),
    lowerThreshold: () => viewer.setThreshold(viewer.threshold() - viewer.scale() / 50),
    higherThreshold: () => viewer.setThreshold(viewer.threshold() + viewer.scale() / 50),
    nextColours: () => viewer.step("colours", viewer.data.colours, 1),
    nextFinding: () => viewer.step("finding", viewer.data.findings, 1),
    previousFinding: () => viewer.step("finding", viewer.data.findings, -1),
    help: () => viewer.help.show(true),
    link: () => {
      if (!viewer.link.group) return false;
      viewer.link.on = !viewer.link.on;
      viewer.announce(viewer.words(viewer.link.on ? "link.on" : "link.off"));
      viewer.schedule();
      return true;
    },
  };
  for (const tool of TOOLS) actions[`tool.${tool}`] = () => viewer.setTool(tool);
  for (const name of PRESET_NAMES) {
    actions[`window.${name}`] = () => viewer.ready && viewer.change({ window: presetWindow(viewer.film, viewer.pixels, name) });
  }
  return Object.assign(actions, arrowActions(viewer), regionActions(viewer));
}

function arrowActions(viewer) {
  const onScreen = ([right, down], length) => {
    const view = viewer.views[0];
    const [x0, y0] = view.toSource(0, 0);
    const [x1, y1] = view.toSource(right * length, down * length);
    return [x1 - x0, y1 - y0];
  };
  const editing = () => viewer.region?.closed && ["box", "outline"].includes(viewer.tool);
  return {
    arrow: ([right, down], shifted) => {
      if (!viewer.ready) return;
      const { film, tool } = viewer;
      if (tool === "window") {
        const start = adjustable(film, viewer.window());
        const up = film.window.mirror === null ? down : -down;
        viewer.change({ window: draggedWindow(start, right * WINDOW_STEP, up * WINDOW_STEP, viewer.range()) });
      } else if (editing()) {
        const [dx, dy] = onScreen([right, down], CURSOR_STEP);
        if (shifted) viewer.region.grow(dx, dy, film);
        else viewer.region.move(dx, dy, film);
        viewer.regionChanged();
      } else if (["ruler", "outline"].includes(tool)) {
        const [dx, dy] = onScreen([right, down], CURSOR_STEP * (shifted ? 5 : 1));
        const [x, y] = viewer.cursor ?? viewer.views[0].centre;
        viewer.moveCursor(onFilm(film, [x + dx, y + dy]));
      } else {
        const view = viewer.views[0];
        const [dx, dy] = onScreen([right, down], ARROW_SHARE * Math.min(view.pane.width, view.pane.height));
        viewer.change({ zoom: view.zoom, centre: keptInSight(film, [view.centre[0] + dx, view.centre[1] + dy]) });
      }
    },
  };
}

function regionActions(viewer) {
  const { words } = viewer;
  return {
    // Places a corner of an outline or an end of the ruler at the cross, or a box in the middle of what is seen.
    place: () => {
      if (!viewer.ready) return false;
      const view = viewer.views[0];
      const at = viewer.cursor ?? view.centre;
      if (viewer.tool === "ruler") {
        const started = viewer.ruler && viewer.ruler[0] === viewer.ruler[1];
        viewer.ruler = started ? [viewer.ruler[0], at] : [at, at];
        viewer.announce(started ? viewer.rulerWords() : words("ruler.started"));
      } else if (viewer.tool === "box") {
        const size = Math.min(view.pane.width, view.pane.height) / view.zoom / 5;
        const [left, top] = onFilm(viewer.film, [view.centre[0] - size, view.centre[1] - size]);
        const [right, bottom] = onFilm(viewer.film, [view.centre[0] + size, view.centre[1] + size]);
        viewer.setRegion(DrawnRegion.box(left, top, right, bottom));
        viewer.regionChanged();
      } else if (viewer.tool === "outline") {
        if (!viewer.region || viewer.region.kind !== "outline" || viewer.region.closed) {
          viewer.setRegion(new DrawnRegion("outline", []));
        }
        viewer.actions.addCorner(at, view, view.toScreen(...at));
        viewer.announce(words("region.corners", { count: viewer.region.points.length }));
      } else return false;
      viewer.schedule();
      return true;
    },
    // Adds a corner; one on top of the first closes the outline.
    addCorner: (point, view, [x, y]) => {
      const { points } = viewer.region;
      if (points.length > 2) {
        const [firstX, firstY] = view.toScreen(...points[0]);
        if (Math.hypot(firstX - x, firstY - y) <= GRIP) {
          viewer.actions.closeOutline();
          return;
        }
      }
      points.push(point);
      viewer.schedule();
    },
    closeOutline: () => {
      viewer.region.closed = true;
      if (!viewer.region.whole()) viewer.setRegion(null);
      viewer.regionChanged();
    },
    back: () => {
      if (!viewer.region || viewer.region.closed) return false;
      viewer.region.points.pop();
      if (!viewer.region.points.length) viewer.setRegion(null);
      viewer.schedule();
      return true;
    },
    confirm: () => {
      if (viewer.region?.kind === "outline" && !viewer.region.closed && viewer.region.points.length > 2) {
        viewer.actions.closeOutline();
      }
      return viewer.send();
    },
    remove: () => {
      if (viewer.region) viewer.announce(words("region.removed"));
      else if (!viewer.ruler) return false;
      if (!viewer.region) viewer.ruler = null;
      viewer.setRegion(null);
      return true;
    },
    leave: () => {
      if (viewer.region && !viewer.region.closed) viewer.setRegion(null);
      else if (viewer.ruler && viewer.tool === "ruler") viewer.ruler = null;
      else if (viewer.tool !== "pan") viewer.setTool("pan");
      else return false;
      viewer.schedule();
      return true;
    },
  };
}
