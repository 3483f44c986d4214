// One frame: panes and views, the film and the map by the renderer, the marks over them, and the controls in step.

function drawFrame(viewer) {
  const width = Math.floor(viewer.stage.clientWidth);
  const height = Math.floor(viewer.stage.clientHeight);
  if (!viewer.pixels || width < 8 || height < 8) {
    viewer.toolbar.sync();
    viewer.panel.sync();
    return;
  }
  const started = performance.now();
  const ratio = viewer.ratio();
  fitCanvas(viewer, width, height, ratio);
  const panes = panesOf(width, height, viewer.display.sideBySide)
    .map((pane) => ({ ...pane, view: new View(viewer.display, viewer.film, pane, ratio) }));
  viewer.views = panes.map((pane) => pane.view);
  const moving = performance.now() - (viewer.moved ?? -Infinity) < SETTLED;
  const overlay = viewer.overlay();
  const frame = {
    film: viewer.film, panes, ratio, moving, table: greys(viewer), overlay: viewer.display.overlay ? overlay : null,
  };
  viewer.renderer.draw(frame);
  viewer.marks.draw(frame, marksOf(viewer, overlay));
  viewer.toolbar.sync();
  viewer.panel.sync();
  viewer.status.sync();
  if (viewer.root.dataset.ready !== "true") {
    viewer.root.dataset.ready = "true";
    performance.mark("medcam-first-image");
  }
  viewer.root.dataset.tool = viewer.tool;
  viewer.root.dataset.frameMs = (performance.now() - started).toFixed(1);
  clearTimeout(viewer.settling);
  if (moving) viewer.settling = setTimeout(() => viewer.schedule(), SETTLED + 10);
}

function fitCanvas(viewer, width, height, ratio) {
  const size = [width, height, ratio].join();
  if (viewer.size === size) return;
  viewer.size = size;
  viewer.renderer.resize(Math.round(width * ratio), Math.round(height * ratio));
  viewer.canvas.style.width = `${width}px`;
  viewer.canvas.style.height = `${height}px`;
  put(viewer.layer, { width, height });
}

// A value that is made anew only when its key changes.
function kept(viewer, name, key, make) {
  const text = JSON.stringify(key);
  if (viewer.kept[name]?.text !== text) viewer.kept[name] = { text, value: make() };
  return viewer.kept[name].value;
}

const greys = (viewer) => kept(viewer, "greys", [viewer.display.window, viewer.display.invert],
  () => greyTable(viewer.film, viewer.window(), viewer.display.invert, viewer.pixels.highest));

function marksOf(viewer, overlay) {
  const { display, film } = viewer;
  const finding = viewer.finding();
  const { orientation } = film;
  const letters = kept(viewer, "letters", [display.rotation, display.flip],
    () => orientationLetters(orientation, display.rotation, display.flip));
  const contour = finding && display.contour ? kept(viewer, "contour", [finding.name, viewer.threshold()],
    () => pathOf(outlinesAbove(finding.map, film, viewer.threshold()))) : "";
  const boxes = finding && display.boxes ? finding.regions.map(boxPath).join("") : "";
  const zones = overlay && display.zones && viewer.hasZones() ? kept(viewer, "zones", [finding.name], () => zoneMarks(viewer, finding)) : [];
  const { region, ruler, cursor } = viewer;
  const shown = region?.points.length ? region : null;
  return { letters, contour, boxes, zones, ruler, rulerWords: ruler ? viewer.rulerWords() : "", region: shown, cursor };
}

// Outlines in the colours of the evidence they hold; signed colours, since a zone may speak against a finding.
function zoneMarks(viewer, finding) {
  const table = viewer.data.colours.find((colours) => colours.signed) ?? viewer.colours();
  const colour = new Overlay(finding.map, table, viewer.zoneScale(), viewer.display, 0);
  return viewer.data.zones.filter((zone) => zone.name in finding.zones && zone.polygons.length).map((zone) => ({
    name: zone.name, label: zone.label, path: pathOf(zone.polygons), middle: middleOf(zone.polygons),
    value: signed(finding.zones[zone.name], 2), colour: colour.colour(finding.zones[zone.name]),
  }));
}
