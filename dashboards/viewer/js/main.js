// From what Python sends to typed arrays, and the function that Streamlit calls.

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const floatsOf = (text) => new Float32Array(bytesOf(text).buffer);
const pairsOf = (floats) => Array.from({ length: floats.length / 2 }, (_, i) => [floats[2 * i], floats[2 * i + 1]]);
let maps = 0;

function decoded(raw) {
  const table = raw.film.window.table;
  return {
    ...raw,
    film: { ...raw.film, window: { ...raw.film.window, table: table === null ? null : floatsOf(table) } },
    colours: raw.colours.map((colours) => ({ ...colours, table: bytesOf(colours.table) })),
    findings: raw.findings.map((finding) => ({
      ...finding, map: { ...finding.map, values: floatsOf(finding.map.values), id: (maps += 1) },
    })),
    zones: raw.zones.map((zone) => ({ ...zone, polygons: zone.polygons.map((text) => pairsOf(floatsOf(text))) })),
  };
}

const viewers = new WeakMap(); // by the element that Streamlit gives: it calls again after each run of the page

export default function show({ parentElement, data, setTriggerValue }) {
  let viewer = viewers.get(parentElement);
  if (!viewer || viewer.calls < 0) {
    viewer = new Viewer(parentElement);
    viewers.set(parentElement, viewer);
  }
  const { content, ...rest } = data; // what is shown comes as text, which Python writes once for all runs of the page
  const call = viewer.update({ ...rest, ...JSON.parse(content) }, setTriggerValue);
  return () => viewer.release(call);
}
