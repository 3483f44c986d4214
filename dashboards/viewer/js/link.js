// Viewers of one page that move together. They tell each other by an event of the page, never by way of the server.
// Places are told as shares of the film and zoom as a multiple of the fitting one: films differ in size.

const LINK_EVENT = "medcam-view";
const ALIKE = ["finding", "invert", "overlay", "contour", "boxes", "zones", "colours", "opacity", "opacityMode"];
const ALIKE_ON_ONE_FILM = ["rotation", "flip", "window"]; // another film lies and shines in its own way

class Link {
  constructor(viewer) {
    this.viewer = viewer;
    this.on = true;
    this.hear = (event) => this.take(event.detail);
    document.addEventListener(LINK_EVENT, this.hear);
  }

  get group() {
    return this.viewer.raw?.frame.link ?? "";
  }

  leave() {
    document.removeEventListener(LINK_EVENT, this.hear);
  }

  // Tells the others what has just changed here.
  tell(patch, moving) {
    const { viewer } = this;
    if (!this.group || !this.on || !viewer.ready) return;
    const told = Object.fromEntries([...ALIKE, ...ALIKE_ON_ONE_FILM].filter((name) => name in patch).map((name) => [name, patch[name]]));
    const place = "zoom" in patch || "centre" in patch ? this.place() : null;
    if (!place && !Object.keys(told).length) return;
    const detail = { group: this.group, from: viewer, film: viewer.film.url, told, place, moving };
    document.dispatchEvent(new CustomEvent(LINK_EVENT, { detail }));
  }

  place() {
    const { display, film, views } = this.viewer;
    const { zoom, centre } = display;
    return {
      zoom: zoom === null ? null : zoom / fitZoom(film, views[0].pane, display.rotation),
      centre: centre && [centre[0] / film.columns, centre[1] / film.rows],
    };
  }

  take({ group, from, film: url, told, place, moving }) {
    const { viewer } = this;
    if (group !== this.group || from === viewer || !this.on || !viewer.ready) return;
    const { film, display, views, data } = viewer;
    const names = url === film.url ? [...ALIKE, ...ALIKE_ON_ONE_FILM] : ALIKE;
    const patch = Object.fromEntries(Object.entries(told).filter(([name]) => names.includes(name)));
    if ("finding" in patch && !data.findings.some((finding) => finding.name === patch.finding)) delete patch.finding;
    if (place) {
      const fit = fitZoom(film, views[0].pane, patch.rotation ?? display.rotation);
      patch.zoom = place.zoom === null ? null : clamp(place.zoom * fit, ...LIMITS);
      patch.centre = place.centre && [place.centre[0] * film.columns, place.centre[1] * film.rows];
    }
    viewer.show(patch, moving);
  }
}
