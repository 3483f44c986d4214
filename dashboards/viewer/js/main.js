// From what Python sends to typed arrays, and the function that Streamlit calls.

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const floatsOf = (text) => new Float32Array(bytesOf(text).buffer);
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
  };
}

const viewers = new WeakMap(); // by the element that Streamlit gives: it calls again after each run of the page

export default function show({ parentElement, data, setTriggerValue }) {
  let viewer = viewers.get(parentElement);
  if (!viewer || viewer.calls < 0) {
    viewer = new Viewer(parentElement);
    viewers.set(parentElement, viewer);
  }
  const call = viewer.update(data, setTriggerValue);
  return () => viewer.release(call);
}
