"""What is wrong with how a page looks, as JavaScript that gives a list of it: for tests of every width and theme."""

from __future__ import annotations

# Elements that reach over the right edge of their card, and words with less than 4.5:1 against what lies under them.
LEAVES = """() => [...document.querySelectorAll('.wb-card')].flatMap(card => {
  const edge = card.getBoundingClientRect().right + 0.5;
  return [...card.querySelectorAll('*')].filter(e => e.checkVisibility() && !e.closest('pre, .tbl, .plot, .wb-cut, svg'))
    .filter(e => e.getBoundingClientRect().right > edge && e.getBoundingClientRect().width > 0)
    .map(e => `${card.ariaLabel}: ${e.tagName}.${e.className} ${e.textContent.slice(0, 40)}`);
})"""
FAINT = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const over = layers => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of layers) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const linear = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = rgb => { const [r, g, b] = rgb.map(v => linear(v / 255)); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const bad = [];
  for (const e of document.querySelectorAll('.wb-card :is(b, small, span, button, div, p, dt, dd, h3, a, code, td, th)')) {
    const speaks = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!speaks || e.closest('[disabled], .wait') || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const under = [];
    for (let p = e; p; p = p.parentElement) under.unshift(getComputedStyle(p).backgroundColor);
    const [a, b] = [light(over(under)), light(over([...under, getComputedStyle(e).color]))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) bad.push(`${e.className} ${e.textContent.slice(0, 40)}: ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
  }
  return bad;
}"""
