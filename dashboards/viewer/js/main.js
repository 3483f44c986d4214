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

const contents = new Map(); // what is shown, by its address: a page that runs again does not fetch it again
const MOST_CONTENTS = 4;

// What is shown, as Python wrote it once for all runs of the page: text that came along, or from its own address.
async function fetchContent(address) {
  const answer = await fetch(address, { credentials: "same-origin" });
  if (!answer.ok) throw new FilmError(String(answer.status));
  const content = await answer.json();
  contents.set(address, content);
  if (contents.size > MOST_CONTENTS) contents.delete(contents.keys().next().value);
  return content;
}

export default function show({ parentElement, data, setTriggerValue }) {
  let viewer = viewers.get(parentElement);
  if (!viewer || viewer.calls < 0) {
    viewer = new Viewer(parentElement);
    viewers.set(parentElement, viewer);
  }
  const { content, address, ...rest } = data;
  const call = viewer.expect();
  const take = (shown) => call === viewer.calls && viewer.update({ ...rest, ...shown }, setTriggerValue);
  const load = () => {
    viewer.wait(rest);
    fetchContent(address).then(take, (error) => call === viewer.calls && viewer.waitFailed(rest, error, load));
  };
  if (!address) take(JSON.parse(content));
  else if (contents.has(address)) take(contents.get(address));
  else load();
  return () => viewer.release(call);
}
