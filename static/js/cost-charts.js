// Charts of cost reports: markouts by group over their horizons, and the market around a parent's fills.

import { FONT, GRID, MUTED, axisText, clockLabels, utcClock } from "./line-chart.js";

const LINES = ["#b3a5ff", "#e08bb9", "#4fc3a1", "#d8c468", "#56b4e9"];
const FILL = "#e6edf3";

function sized(element) {
  const legend = element.querySelector(".u-legend")?.offsetHeight ?? 26;
  return { width: element.clientWidth - 8, height: Math.max(160, element.clientHeight - legend - 10) };
}

function drawn(element, options, points) {
  element.querySelector(".chart-empty").hidden = true;
  const chart = new window.uPlot({ ...sized(element), ...options }, points, element);
  const resized = new ResizeObserver(() => chart.setSize(sized(element)));
  resized.observe(element);
  resized.observe(element.querySelector(".u-legend"));
  chart.setSize(sized(element));
  return chart;
}

function axes(values, labels) {
  return [
    { stroke: MUTED, font: FONT, grid: { show: false }, ticks: { stroke: GRID, size: 5 }, size: 28, space: 70, ...labels },
    { stroke: MUTED, font: FONT, grid: { stroke: GRID, width: 1 }, ticks: { show: false }, size: 66, values },
  ];
}

function basisPoints(value) {
  if (value === null || value === undefined) return "—";
  return value.toFixed(2).replace("-", "\u2212");
}

async function told(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  return answer.ok ? answer.json() : null;
}

async function markouts(element) {
  const found = await told(element.dataset.markouts);
  if (!found || !found.lines.length) return;
  const places = found.labels.map((label, at) => at);
  const series = found.lines.map((line, at) => ({
    label: line.label, stroke: LINES[at], width: 1.75, points: { show: true, size: 6, fill: LINES[at] },
    value: (chart, value) => basisPoints(value),
  }));
  const name = (value) => found.labels[value] ?? "";
  const known = places.filter((place) => found.lines.some((line) => line.points[place] !== null));
  drawn(
    element,
    {
      legend: { live: true },
      cursor: { y: false },
      hooks: { ready: [(chart) => chart.setLegend({ idx: known.at(-1) })] },
      scales: { x: { time: false, range: [-0.25, places.length - 0.75] } },
      axes: axes((chart, values) => values.map(axisText), { splits: () => places, values: () => found.labels }),
      series: [{ label: "After", value: (chart, value) => name(value) }, ...series],
    },
    [places, ...found.lines.map((line) => line.points)],
  );
}

// One time axis for both: the middle holds between its points, fills are points of their own.
function merged(found) {
  const rows = [
    ...found.time.map((time, at) => [time, found.middle[at], null]),
    ...found.fill_time.map((time, at) => [time, null, found.fill_price[at]]),
  ].sort((one, other) => one[0] - other[0]);
  let middle = null;
  for (const row of rows) {
    middle = row[1] ?? middle;
    row[1] = middle;
  }
  return [0, 1, 2].map((column) => rows.map((row) => row[column]));
}

// An order may last less than a second: then tenths are told, or thousandths.
function fineClock(chart, seconds, axis, space, step) {
  if (step >= 1) return clockLabels(chart, seconds, axis, space, step);
  return seconds.map((second) => utcClock(second, step >= 0.1 ? 10 : 12));
}

async function path(element) {
  const found = await told(element.dataset.path);
  if (!found || found.time.length < 2) return;
  const [time, middle, fills] = merged(found);
  const price = (chart, value) => (value === null || value === undefined ? "—" : value.toFixed(4));
  const level = (label, value, colour) => ({
    points: time.map(() => value),
    series: { label, stroke: colour, width: 1, dash: [4, 3], points: { show: false }, value: price },
  });
  const levels = [];
  if (found.arrival !== null) levels.push(level("Arrival", found.arrival, "#4fc3a1"));
  if (found.vwap !== null) levels.push(level("VWAP", found.vwap, "#d8c468"));
  drawn(
    element,
    {
      tzDate: (seconds) => window.uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      legend: { live: true },
      cursor: { y: false, points: { size: 6 } },
      hooks: { ready: [(chart) => chart.setLegend({ idx: time.length - 1 })] },
      axes: axes((chart, values) => values.map((value) => value.toFixed(2)), { values: fineClock }),
      series: [
        { label: "UTC", value: (chart, value) => (value === null || value === undefined ? "—" : utcClock(value)) },
        {
          label: "Middle", stroke: "#b3a5ff", width: 1.5, points: { show: false }, value: price,
          paths: window.uPlot.paths.stepped({ align: 1 }),
        },
        { label: "Fills", stroke: FILL, width: 0, points: { show: true, size: 8, fill: FILL }, paths: () => null, value: price },
        ...levels.map((line) => line.series),
      ],
    },
    [time, middle, fills, ...levels.map((line) => line.points)],
  );
}

for (const element of document.querySelectorAll("[data-markouts]")) await markouts(element);
for (const element of document.querySelectorAll("[data-path]")) await path(element);
