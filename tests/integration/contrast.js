// Words of the page that stand out from their ground by less than 4.5 to 1 (WCAG 2.2, 1.4.3), each with its ratio.
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((part, i) => a * part + (1 - a) * under[i]);
  const linear = (part) => (part <= 0.04045 * 255 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const light = (rgb) => 0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2]);
  const parents = (element) => {
    const found = [];
    for (let one = element; one; one = one.parentElement ?? one.getRootNode().host) found.push(one);
    return found;
  };
  const inside = (element) => (element.shadowRoot ? texts(element.shadowRoot) : []);
  const texts = (root) => [...root.querySelectorAll("*")].flatMap((element) => [element, ...inside(element)]);
  const EXEMPT = ":disabled, [disabled], [aria-disabled=true], svg, style, script, [data-testid=stIconMaterial]";
  const SEEN = { visibilityProperty: true, opacityProperty: true };
  const faint = [];
  for (const element of texts(document.body)) {
    const own = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join("");
    const box = element.getBoundingClientRect();
    const chain = parents(element);
    // What cannot be used may be faint; words on the film have an outline of their own.
    const exempt = chain.some((one) => one.matches(EXEMPT) || one.querySelector(":scope > label + div input:disabled"));
    if (!own || !box.width || !box.height || exempt || !element.checkVisibility(SEEN)) continue;
    const grounds = chain.reverse().map((one) => rgba(getComputedStyle(one).backgroundColor));
    const ground = grounds.reduce((under, one) => over(one, under), [255, 255, 255]);
    const shown = over(rgba(getComputedStyle(element).color), ground);
    const [low, high] = [light(shown), light(ground)].sort((p, q) => p - q);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) faint.push(`${own.slice(0, 40)}: ${ratio.toFixed(2)} <${element.tagName} ${element.className}>`);
  }
  return [...new Set(faint)];
}
