// A money line over UTC time on uPlot: sky above zero, orange below, and a thin second line.

const GAIN = "#56b4e9";
const LOSS = "#e69f00";
export const MUTED = "#8b98a5";
export const GRID = "#242e39";
export const FONT = "11px Inter, sans-serif";

function split(chart, above, below) {
  const { top, height } = chart.bbox;
  const zero = Math.min(Math.max((chart.valToPos(0, "y", true) - top) / height, 0), 1);
  if (!Number.isFinite(zero)) return above;
  const gradient = chart.ctx.createLinearGradient(0, top, 0, top + height);
  gradient.addColorStop(0, above);
  gradient.addColorStop(zero, above);
  gradient.addColorStop(zero, below);
  gradient.addColorStop(1, below);
  return gradient;
}

function moneyText(value) {
  if (value === null || value === undefined) return "—";
  const text = Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return `${value < 0 ? "\u2212" : value > 0 ? "+" : ""}${text}`;
}

export function axisText(value) {
  return value.toLocaleString("en-US", { maximumFractionDigits: 2 }).replace("-", "\u2212");
}

export function utcClock(seconds, length = 8) {
  return new Date(seconds * 1000).toISOString().slice(11, 11 + length);
}

export function clockLabels(chart, seconds, axis, space, step) {
  return seconds.map((second) => utcClock(second, step < 60 ? 8 : 5));
}

// `points`: [seconds, net, other]; `other` null leaves the second line out.
export function lineChart(element, points, { net, other, live = false }) {
  const series = [
    { label: "UTC", value: (chart, value) => (value === null ? "—" : utcClock(value)) },
    {
      label: net,
      width: 1.75,
      stroke: (chart) => split(chart, GAIN, LOSS),
      fill: (chart) => split(chart, `${GAIN}22`, `${LOSS}22`),
      fillTo: 0,
      points: { show: false },
      value: (chart, value) => moneyText(value),
    },
  ];
  if (other) {
    series.push({
      label: other, width: 1, stroke: MUTED, dash: [4, 3], points: { show: false },
      value: (chart, value) => moneyText(value),
    });
  }
  const size = () => {
    const legend = element.querySelector(".u-legend")?.offsetHeight ?? 26;
    return { width: element.clientWidth - 8, height: Math.max(160, element.clientHeight - legend - 10) };
  };
  const chart = new window.uPlot(
    {
      ...size(),
      tzDate: (seconds) => window.uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { y: false, points: { size: 6 } },
      legend: { live: true },
      hooks: { ready: [showLast], setData: [showLast] },
      scales: { x: { time: true }, y: { range: (self, low, high) => padded(low, high) } },
      axes: [
        {
          stroke: MUTED, font: FONT, grid: { show: false }, ticks: { stroke: GRID, size: 5 }, size: 28, space: 70,
          values: clockLabels,
        },
        {
          stroke: MUTED, font: FONT, grid: { stroke: GRID, width: 1 }, ticks: { show: false }, size: 62,
          values: (self, values) => values.map(axisText),
        },
      ],
      series,
    },
    other ? points : points.slice(0, 2),
    element,
  );
  // The legend takes a second line on a narrow screen, once it has numbers.
  const resized = new ResizeObserver(() => chart.setSize(size()));
  resized.observe(element);
  resized.observe(element.querySelector(".u-legend"));
  chart.setSize(size());
  element.classList.toggle("live", live);
  return chart;
}

// Without a pointer on it the legend tells the last point instead of nothing.
function showLast(chart) {
  if (chart.cursor.left === undefined || chart.cursor.left < 0) chart.setLegend({ idx: chart.data[0].length - 1 });
}

function padded(low, high) {
  const bottom = Math.min(0, low ?? 0);
  const top = Math.max(0, high ?? 0);
  const room = (top - bottom || 1) * 0.08;
  return [bottom < 0 ? bottom - room : -room / 2, top > 0 ? top + room : room / 2];
}
