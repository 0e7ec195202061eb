const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
const behind = (element) => {
  for (; element; element = element.parentElement) {
    const [r, g, b, a = 1] = numbers(getComputedStyle(element).backgroundColor);
    if (a > 0) return [r, g, b];
  }
  return [255, 255, 255];
};
const flaws = new Set();
if (document.documentElement.scrollWidth > innerWidth) flaws.add(`wider than ${innerWidth}`);
for (const element of document.querySelectorAll("body *:not(script)")) {
  const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!hasText) continue;
  const colour = numbers(getComputedStyle(element).color).slice(0, 3);
  const [low, high] = [luminance(colour), luminance(behind(element))].sort((a, b) => a - b);
  const contrast = (high + 0.05) / (low + 0.05);
  if (contrast < 4.5) flaws.add(`${element.tagName} ${element.className} has a contrast of ${contrast.toFixed(1)}`);
}
document.body.dataset.flaws = [...flaws].join("; ") || "none";
