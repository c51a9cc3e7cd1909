/** A bar chart as SVG: groups of bars with their spread, readable on white and on black. */
import type { Spread } from '../statistics.ts';

export interface Bar {
  readonly label: string;
  readonly value: Spread;
}

export interface Group {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const width = 760;
const labelWidth = 130;
const valueWidth = 70;
const barHeight = 16;
const gap = 4;
const titleHeight = 26;
const fills: Readonly<Record<string, string>> = {
  haproxy: '#8a8f98',
  'evergate-uring': '#2f7ed8',
  'evergate-net': '#8bbcf0',
  nginx: '#6aa84f',
  caddy: '#c27ba0',
};

/** @param unit behind each number. */
export function plot(title: string, unit: string, groups: readonly Group[]): string {
  const most = Math.max(...groups.flatMap((group) => group.bars.map((bar) => bar.value.high)));
  const scale = (value: number) => (value / most) * (width - labelWidth - valueWidth);
  const parts: string[] = [];
  let y = 34;
  for (const group of groups) {
    parts.push(text(0, y + 14, group.title, 'font-weight="bold"'));
    y += titleHeight;
    for (const { label, value } of group.bars) {
      const middle = y + barHeight / 2;
      parts.push(
        text(labelWidth - 8, y + 12, label, 'text-anchor="end"'),
        `<rect x="${labelWidth}" y="${y}" width="${scale(value.median).toFixed(1)}" height="${barHeight}" fill="${fills[label] ?? '#999'}"/>`,
        `<path d="M${labelWidth + scale(value.low)} ${middle}H${labelWidth + scale(value.high)}" stroke="#444" stroke-width="2"/>`,
        text(labelWidth + scale(value.high) + 6, y + 12, `${short(value.median)} ${unit}`),
      );
      y += barHeight + gap;
    }
    y += 8;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 0 ${width + 20} ${y}" font-family="sans-serif" font-size="12">
<rect x="-10" width="100%" height="100%" fill="#fff"/>
${text(0, 18, title, 'font-size="15"')}
${parts.join('\n')}
</svg>
`;
}

function text(x: number, y: number, content: string, more = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" ${more}>${escaped}</text>`;
}

export function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
