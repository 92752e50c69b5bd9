// The live P&L line. Its past comes from the server (data-source), its present from the stream, one point a second.

import { schedule } from "./painting.js";
import { lineChart } from "./line-chart.js";

export class PnlChart {
  constructor(element) {
    this.element = element;
    this.key = element.dataset.key;
    this.points = [[], [], []];
    this.chart = null;
    this.current = {};
    this.paint = this.paint.bind(this);
  }

  async load() {
    const answer = await fetch(this.element.dataset.source, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const past = await answer.json();
    const last = past.time.at(-1) ?? 0;
    const newer = this.points[0].findIndex((second) => second > last);
    const kept = newer < 0 ? [[], [], []] : this.points.map((column) => column.slice(newer));
    this.points = [past.time, past.net, past.realised].map((column, index) => [...column, ...kept[index]]);
    schedule(this.paint);
  }

  snapshot(channel, entries) {
    this.load();
    for (const [key, row] of entries) if (key === this.key) this.append(row);
  }

  delta(channel, updates) {
    for (const [key, row] of updates) if (key === this.key) this.append(row);
  }

  append(row) {
    this.current = { ...this.current, ...row };
    const [time, net, realised] = this.points;
    const second = Math.floor(Date.now() / 1000);
    if (time.at(-1) === second) {
      net[net.length - 1] = Number(this.current.net);
      realised[realised.length - 1] = Number(this.current.realised);
    } else {
      time.push(second);
      net.push(Number(this.current.net));
      realised.push(Number(this.current.realised));
    }
    schedule(this.paint);
  }

  paint() {
    const [time] = this.points;
    this.element.querySelector(".chart-empty")?.toggleAttribute("hidden", time.length > 1);
    if (time.length < 2) return;
    if (this.chart) this.chart.setData(this.points);
    else this.chart = lineChart(this.element, this.points, { net: "Net", other: "Realised", live: true });
    this.fillTable();
  }

  // The chart in numbers, for those who do not see it: the last value of each of the last ten minutes.
  fillTable() {
    const body = document.querySelector(`[data-numbers-of="${this.element.id}"]`);
    if (!body || !body.closest("details").open) return;
    const [time, net, realised] = this.points;
    const minutes = new Map();
    time.forEach((second, index) => minutes.set(Math.floor(second / 60), index));
    const rows = [...minutes.values()].slice(-10).reverse().map((index) => {
      const row = document.createElement("tr");
      for (const text of [new Date(time[index] * 1000).toISOString().slice(11, 16), net[index].toFixed(2), realised[index].toFixed(2)]) {
        const cell = document.createElement("td");
        cell.textContent = text.replace("-", "\u2212");
        row.append(cell);
      }
      return row;
    });
    body.replaceChildren(...rows);
  }
}
