// Tells the server that the reader does something, and clears the screen when their session ends.
// One timer and a handful of listeners, however often the page is drawn; taken away with the page.

const OFTEN = 30; // s between two messages at least; less where sessions are short
const ACTS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];

const watched = new WeakMap(); // by the element that Streamlit gives us: it may call us again for the same one

export default function ({ parentElement }) {
  if (!watched.has(parentElement)) watched.set(parentElement, watch());
  return () => {
    watched.get(parentElement)?.();
    watched.delete(parentElement);
  };
}

function watch() {
  let told = Date.now();
  let often = OFTEN;
  let timer = 0;
  let over = false;

  const ask = async (method) => {
    clearTimeout(timer);
    let wait = 30; // s
    try {
      const answer = await fetch("/session", { method, cache: "no-store" });
      if (answer.status === 401 || answer.status === 403) {
        // The server answers the reload with a page that says why, and no film stays on the screen.
        location.reload();
        return;
      }
      if (answer.ok) {
        const { ends_in: left, idle } = await answer.json();
        wait = left + 1;
        often = Math.min(OFTEN, idle / 4);
      }
    } catch {
      // The server cannot be reached. Streamlit tells the reader; we ask again.
    }
    clearTimeout(timer);
    if (!over) timer = setTimeout(() => ask("GET"), Math.min(wait, 86_400) * 1000);
  };

  const acted = (event) => {
    if (!event.isTrusted || Date.now() - told < often * 1000) return;
    told = Date.now();
    ask("POST");
  };

  for (const act of ACTS) document.addEventListener(act, acted, { capture: true, passive: true });
  ask("GET");

  return () => {
    over = true;
    clearTimeout(timer);
    for (const act of ACTS) document.removeEventListener(act, acted, { capture: true });
  };
}
