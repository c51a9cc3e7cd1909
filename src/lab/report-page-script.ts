/** What draws the report's timelines in the reader's browser: plain JavaScript without any library, because the page must need nothing else. */
export const pageScript = `
'use strict';
const timelines = JSON.parse(document.getElementById('data').textContent);
const tip = document.getElementById('tip');
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
const serverColour = (i) => (i < 0 ? colour('quiet') : colour('s' + (i % 8)));
const stateColour = { MASTER: 'master', BACKUP: 'backup', FAULT: 'fault', INIT: 'gone', gone: 'gone' };
const layout = new Map();

function draw(canvas) {
  const t = timelines[Number(canvas.dataset.drill)];
  const width = canvas.clientWidth, height = canvas.clientHeight, ratio = devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const g = canvas.getContext('2d');
  g.scale(ratio, ratio);
  g.font = '12px system-ui, sans-serif';
  g.textBaseline = 'middle';
  const left = 52, right = width - 8, labels = 4 + 15 * stepRows(g, t, width, left, right), bandHeight = 20;
  const bandsTop = labels + 4, plotTop = bandsTop + t.nodes.length * (bandHeight + 8) + 8, plotBottom = height - 24;
  const x = (at) => left + ((at - t.from) / (t.to - t.from)) * (right - left);
  const slowest = Math.max(20, ...t.requests.map((r) => r[1]));
  const y = (ms) => plotBottom - (Math.log10(Math.max(ms, 0.3)) - Math.log10(0.3)) / (Math.log10(slowest * 1.3) - Math.log10(0.3)) * (plotBottom - plotTop);
  layout.set(canvas, { x, y, t });

  g.fillStyle = colour('outage');
  if (t.outage) g.fillRect(x(t.outage[0]), bandsTop, Math.max(2, x(t.outage[1]) - x(t.outage[0])), plotBottom - bandsTop);

  g.strokeStyle = colour('line');
  g.fillStyle = colour('quiet');
  g.lineWidth = 1;
  g.textAlign = 'right';
  for (const ms of [1, 10, 100, 1000]) {
    if (ms > slowest * 1.3) continue;
    line(g, left, y(ms), right, y(ms));
    g.fillText(ms < 1000 ? ms + ' ms' : '1 s', left - 6, y(ms));
  }
  g.textAlign = 'center';
  const every = niceStep((t.to - t.from) / 1000, Math.max(3, (right - left) / 90));
  for (let s = Math.ceil(t.from / 1000 / every) * every; s * 1000 <= t.to; s += every) {
    line(g, x(s * 1000), plotBottom, x(s * 1000), plotBottom + 4);
    g.fillText(+s.toFixed(3) + ' s', Math.min(x(s * 1000), right - 12), plotBottom + 14);
  }

  t.nodes.forEach((node, i) => {
    const top = bandsTop + i * (bandHeight + 8);
    g.textAlign = 'left';
    g.fillStyle = colour('quiet');
    g.fillText(fit(g, node, left - 6), 0, top + bandHeight / 2);
    for (const [of, from, to, text] of t.states) {
      if (of !== i) continue;
      g.fillStyle = colour(stateColour[text] || 'gone');
      g.fillRect(x(from), top, Math.max(1, x(to) - x(from)), bandHeight);
      g.fillStyle = colour('band-text');
      if (g.measureText(text).width + 10 < x(to) - x(from)) g.fillText(text, x(from) + 5, top + bandHeight / 2 + 1);
    }
    g.fillStyle = colour('hold');
    for (const [of, from, to] of t.holdings) if (of === i) g.fillRect(x(from), top + bandHeight + 1, Math.max(1, x(to) - x(from)), 3);
  });

  g.globalAlpha = 0.75;
  for (const [sent, ms, outcome, server] of t.requests) {
    if (outcome !== 0) continue;
    g.fillStyle = serverColour(server);
    g.beginPath();
    g.arc(x(sent), y(ms), 1.8, 0, 7);
    g.fill();
  }
  g.globalAlpha = 1;
  g.strokeStyle = colour('bad');
  g.lineWidth = 1.5;
  for (const [sent, ms, outcome] of t.requests) {
    if (outcome === 0) continue;
    const cx = x(sent), cy = y(ms);
    line(g, cx - 3, cy - 3, cx + 3, cy + 3);
    line(g, cx - 3, cy + 3, cx + 3, cy - 3);
  }

  g.lineWidth = 1;
  t.limits.forEach(([from, to], i) => {
    if (to > t.to) return;
    g.strokeStyle = colour('quiet');
    g.setLineDash([4, 4]);
    line(g, x(to), bandsTop, x(to), plotBottom);
    g.setLineDash([]);
    const text = 'latest, as predicted', wide = g.measureText(text).width;
    const start = x(to) + wide + 8 > right ? x(to) - wide - 4 : x(to) + 4, middle = plotTop + 8 + 16 * i;
    g.fillStyle = colour('card');
    g.fillRect(start - 2, middle - 8, wide + 4, 15);
    g.fillStyle = colour('quiet');
    g.textAlign = 'left';
    g.fillText(text, start, middle);
  });
  t.steps.forEach(([at, text], i) => {
    g.strokeStyle = g.fillStyle = colour('step');
    const row = t.rows[i];
    line(g, x(at), 2 + 15 * row + 13, x(at), plotBottom);
    g.textAlign = 'left';
    const shown = fit(g, text, width - 4);
    g.fillText(shown, Math.max(2, Math.min(x(at) - 2, width - g.measureText(shown).width - 2)), 2 + 15 * row + 7);
  });
}

/** Gives each step's label a row in which it covers no other one; returns the number of rows. */
function stepRows(g, t, width, left, right) {
  const ends = [];
  t.rows = t.steps.map(([at, text]) => {
    const wide = g.measureText(text).width;
    const x = left + ((at - t.from) / (t.to - t.from)) * (right - left);
    const start = Math.max(2, Math.min(x - 2, width - wide - 2));
    let row = ends.findIndex((end) => end + 8 < start);
    if (row < 0) row = ends.length;
    ends[row] = start + wide;
    return row;
  });
  return Math.max(1, ends.length);
}

function line(g, x1, y1, x2, y2) {
  g.beginPath();
  g.moveTo(x1, y1);
  g.lineTo(x2, y2);
  g.stroke();
}

function fit(g, text, width) {
  let shown = text;
  while (shown.length > 1 && g.measureText(shown).width > width) shown = shown.slice(0, -2) + '…';
  return shown;
}

function niceStep(span, ticks) {
  for (const step of [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]) if (span / step <= ticks) return step;
  return 100;
}

function point(event) {
  const canvas = event.currentTarget, { x, y, t } = layout.get(canvas);
  const box = canvas.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
  let best, near = 14;
  for (const request of t.requests) {
    const away = Math.hypot(x(request[0]) - px, y(request[1]) - py);
    if (away < near) { near = away; best = request; }
  }
  tip.hidden = best === undefined;
  if (best === undefined) return;
  const [sent, ms, outcome, server, kept] = best;
  tip.textContent = (sent / 1000).toFixed(3) + ' s: ' + (outcome === 0 ? t.servers[server] : t.outcomes[outcome]) + ' after ' + ms + ' ms' + (kept ? ', kept connection' : '');
  tip.style.left = Math.min(event.clientX + 12, innerWidth - 180) + 'px';
  tip.style.top = event.clientY + 14 + 'px';
}

function legends() {
  for (const legend of document.querySelectorAll('[data-legend]')) {
    const { servers } = timelines[Number(legend.dataset.legend)];
    legend.replaceChildren(...servers.map((name, i) => key(name, serverColour(i), '')), key('no good answer', '', '×'), key('holds the address', colour('hold'), ''));
  }
}

function key(text, back, sign) {
  const span = document.createElement('span'), dot = document.createElement('i');
  dot.textContent = sign;
  if (sign !== '') dot.className = 'cross';
  else dot.style.background = back;
  span.append(dot, text);
  return span;
}

function drawAll() {
  for (const canvas of document.querySelectorAll('canvas')) draw(canvas);
  legends();
}

for (const canvas of document.querySelectorAll('canvas')) {
  canvas.addEventListener('pointermove', point);
  canvas.addEventListener('pointerdown', point);
  canvas.addEventListener('pointerleave', () => { tip.hidden = true; });
}
addEventListener('resize', drawAll);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
drawAll();
`;
